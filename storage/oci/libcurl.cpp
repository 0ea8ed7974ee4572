#include "storage/oci/libcurl.hpp"

#include <dlfcn.h>

namespace firstlight {
namespace {

constexpr const char* file = "libcurl.so.4";

/// Looks functions up until one is missing.
class loader {
 public:
  explicit loader(void* library) : library_(library) {}

  template <class Function>
  void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(library_, name));
    if (function == nullptr) missing_ = name;
  }
  [[nodiscard]] const std::string& missing() const { return missing_; }

 private:
  void* library_;
  std::string missing_;
};

result<libcurl> load_now() {
  void* library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return fail(errc::unsupported,
                "registries need the package libcurl4, which cannot be loaded: " + std::string(::dlerror()));
  libcurl curl;
  decltype(&::curl_global_init) global_init = nullptr;
  loader from(library);
  from.find(global_init, "curl_global_init");
  from.find(curl.easy_init, "curl_easy_init");
  from.find(curl.easy_cleanup, "curl_easy_cleanup");
  from.find(curl.easy_setopt, "curl_easy_setopt");
  from.find(curl.easy_getinfo, "curl_easy_getinfo");
  from.find(curl.easy_pause, "curl_easy_pause");
  from.find(curl.easy_strerror, "curl_easy_strerror");
  from.find(curl.multi_init, "curl_multi_init");
  from.find(curl.multi_cleanup, "curl_multi_cleanup");
  from.find(curl.multi_add_handle, "curl_multi_add_handle");
  from.find(curl.multi_remove_handle, "curl_multi_remove_handle");
  from.find(curl.multi_perform, "curl_multi_perform");
  from.find(curl.multi_poll, "curl_multi_poll");
  from.find(curl.multi_info_read, "curl_multi_info_read");
  from.find(curl.multi_strerror, "curl_multi_strerror");
  from.find(curl.slist_append, "curl_slist_append");
  from.find(curl.slist_free_all, "curl_slist_free_all");
  from.find(curl.url, "curl_url");
  from.find(curl.url_cleanup, "curl_url_cleanup");
  from.find(curl.url_set, "curl_url_set");
  from.find(curl.url_get, "curl_url_get");
  from.find(curl.free, "curl_free");
  if (!from.missing().empty())
    return fail(errc::unsupported, std::string(file) + " is too old: it has no " + from.missing());
  if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return fail(errc::unsupported, std::string(file) + " cannot be initialized");
  return curl;
}

}  // namespace

const result<libcurl>& libcurl::load() {
  static const auto loaded = load_now();
  return loaded;
}

}  // namespace firstlight
