#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace firstlight {

/// What a pod's pull secrets say, as kubelet hands them on. All empty: nothing is said.
struct cri_login {
  std::string user;
  std::string password;
};

/// How a call ended.
struct cri_said {
  bool good = false;
  std::string value;   ///< what the call gives: an image's reference, an id, a program's output
  std::string errors;  ///< of a failed one
};

/// CRI CLIENT: what kubelet is to a container runtime. Each call is given up after some minutes. One thread.
class cri_client {
 public:
  /// `images` is where the image service is asked (kubelet's --image-service-endpoint), `runtime` all else.
  cri_client(const std::filesystem::path& runtime, const std::filesystem::path& images);
  ~cri_client();
  cri_client(const cri_client&) = delete;
  cri_client& operator=(const cri_client&) = delete;

  /// False while the runtime begins.
  [[nodiscard]] bool serves();
  /// Gives the id of the image.
  cri_said pull(const std::string& reference, const std::optional<cri_login>& login = {});
  [[nodiscard]] bool has_image(const std::string& reference);
  cri_said remove_image(const std::string& reference);
  /// The tags of all images.
  std::vector<std::string> images();

  /// A pod on the network of this machine, so that no network plugin is needed. Gives its id.
  cri_said run_pod(const std::string& name);
  /// Gives the id of the container, which `start` starts.
  cri_said create(const std::string& pod, const std::string& image, const std::vector<std::string>& command);
  cri_said start(const std::string& container);
  /// Whether its program runs.
  [[nodiscard]] bool runs(const std::string& container);
  /// Runs a program in a container. Good if that ends with 0.
  cri_said exec(const std::string& container, const std::vector<std::string>& command);
  /// Ends a container and removes it.
  cri_said remove_container(const std::string& container);
  /// Ends a pod and removes it, with its containers.
  cri_said remove_pod(const std::string& pod);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace firstlight
