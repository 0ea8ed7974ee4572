@0xf3a2c07d1b5e9648;
# Between a daemon and its command line, over a UNIX socket of mode 0600. Requests and replies are the messages of
# admin.capnp; this file only carries them.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("firstlight::wire");

interface AdminProgress {
  progress @0 (message :Data) -> ();
}

interface Admin {
  call @0 (request :Data, progress :AdminProgress) -> (reply :Data);
  # Errors: exception text "errc: detail".
}
