#include "storage/oci/http_stream.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "storage/oci/libcurl.hpp"

namespace firstlight {
namespace {

/// Precondition: it has been loaded.
const libcurl& curl() {
  return *libcurl::load();
}

struct list_deleter {
  void operator()(curl_slist* list) const { curl().slist_free_all(list); }
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

errc code_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return errc::timed_out;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return errc::failed_precondition;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return errc::invalid_argument;
    default:
      return errc::unavailable;
  }
}

class curl_stream : public http_stream {
 public:
  curl_stream(const http_request& request, const registry_limits& limits)
      : request_(request), limits_(limits), easy_(curl().easy_init()), multi_(curl().multi_init()) {
    if (easy_ == nullptr || multi_ == nullptr) throw std::bad_alloc();
    configure();
    curl().multi_add_handle(multi_, easy_);
  }
  ~curl_stream() override {
    curl().multi_remove_handle(multi_, easy_);
    curl().easy_cleanup(easy_);
    curl().multi_cleanup(multi_);
  }
  curl_stream(const curl_stream&) = delete;
  curl_stream& operator=(const curl_stream&) = delete;

  result<void> begin() {
    while (!head_whole_ && !done_) {
      if (auto ok = pump(); !ok) return ok;
    }
    if (failure_ && !head_whole_) return tl::unexpected(*failure_);  // else: after the bytes that did come
    curl().easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &head_.status);
    char* redirect = nullptr;
    curl().easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &redirect);
    if (redirect != nullptr) head_.redirect_url = redirect;
    return {};
  }

  [[nodiscard]] const http_head& head() const override { return head_; }

  result<std::size_t> read(std::span<std::byte> into) override {
    while (taken_ == buffer_.size()) {
      buffer_.clear();
      taken_ = 0;
      if (done_) {
        if (failure_) return tl::unexpected(*failure_);
        return 0;
      }
      if (paused_) {
        paused_ = false;
        curl().easy_pause(easy_, CURLPAUSE_CONT);
        if (!buffer_.empty()) break;
      }
      if (auto ok = pump(); !ok) return tl::unexpected(ok.error());
    }
    const std::size_t length = std::min(into.size(), buffer_.size() - taken_);
    std::memcpy(into.data(), buffer_.data() + taken_, length);
    taken_ += length;
    return length;
  }

 private:
  void configure() {
    const auto ms = [](std::chrono::milliseconds time) { return static_cast<long>(time.count()); };
    curl().easy_setopt(easy_, CURLOPT_URL, request_.url.c_str());
    curl().easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl().easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl().easy_setopt(easy_, CURLOPT_USERAGENT, "firstlight");
    curl().easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl().easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, ms(limits_.connect_timeout));
    if (request_.small) curl().easy_setopt(easy_, CURLOPT_TIMEOUT_MS, ms(limits_.request_timeout));
    curl().easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
    // In place of the system's bundle; its folder of single certificates is looked into as well.
    if (!limits_.ca_file.empty()) curl().easy_setopt(easy_, CURLOPT_CAINFO, limits_.ca_file.c_str());
    curl().easy_setopt(easy_, CURLOPT_ERRORBUFFER, problem_);
    curl().easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &curl_stream::on_body);
    curl().easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    curl().easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &curl_stream::on_header);
    curl().easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    for (const auto& header : request_.headers) append(header);
    append("Expect:");
    curl().easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_.get());
    const std::string origin = origin_of(request_.url);
    if (is_loopback(origin.substr(std::min(origin.size(), origin.find("//") + 2)))) {
      curl().easy_setopt(easy_, CURLOPT_PROXY, "");
    }
    if (request_.method == "HEAD") curl().easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    if (request_.method != "POST") return;
    curl().easy_setopt(easy_, CURLOPT_POSTFIELDSIZE, static_cast<long>(request_.body.size()));
    curl().easy_setopt(easy_, CURLOPT_COPYPOSTFIELDS, request_.body.c_str());
  }

  void append(const std::string& header) {
    curl_slist* longer = curl().slist_append(headers_.get(), header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(headers_.release());
    headers_.reset(longer);
  }

  // Lets the transfer go on until anything has come in, or fails after a silence.
  result<void> pump() {
    moved_ = false;
    const auto limit = std::chrono::steady_clock::now() + limits_.stall_timeout;
    while (!moved_ && !done_) {
      int running = 0;
      const CURLMcode status = curl().multi_perform(multi_, &running);
      if (status != CURLM_OK) return fail(errc::unavailable, where() + curl().multi_strerror(status));
      collect();
      if (moved_ || done_) break;
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(limit - std::chrono::steady_clock::now());
      if (left.count() <= 0) return fail(errc::timed_out, where() + "no byte came for the stall_timeout");
      curl().multi_poll(multi_, nullptr, 0, static_cast<int>(std::min<std::int64_t>(left.count(), 1000)),
                        nullptr);
    }
    return {};
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl().multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      done_ = true;
      const CURLcode code = message->data.result;
      if (too_large_) {
        failure_ = error{errc::limit_exceeded, where() + "header_bytes_max"};
      } else if (code != CURLE_OK) {
        failure_ = error{code_of(code), where() + (problem_[0] != 0 ? problem_ : curl().easy_strerror(code))};
      }
    }
  }

  [[nodiscard]] std::string where() const { return origin_of(request_.url) + ": "; }

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& stream = *static_cast<curl_stream*>(self);
    const std::size_t length = size * count;
    if (!stream.buffer_.empty() && stream.buffer_.size() + length > stream.limits_.buffered_bytes_max) {
      stream.paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    stream.head_whole_ = true;
    stream.moved_ = true;
    stream.buffer_.append(data, length);
    return length;
  }

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& stream = *static_cast<curl_stream*>(self);
    const std::string_view line(data, size * count);
    stream.moved_ = true;
    stream.header_bytes_ += line.size();
    stream.too_large_ = stream.header_bytes_ > stream.limits_.header_bytes_max;
    if (stream.too_large_) return 0;
    stream.add_header(line);
    return line.size();
  }

  void add_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {
      head_.headers.clear();  // an interim answer came before
    } else if (trimmed(line).empty()) {
      long status = 0;
      curl().easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
      head_whole_ = status >= 200;
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      head_.headers.emplace_back(lower(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
    }
  }

  http_request request_;
  const registry_limits& limits_;
  CURL* easy_;
  CURLM* multi_;
  std::unique_ptr<curl_slist, list_deleter> headers_;
  char problem_[CURL_ERROR_SIZE] = {};
  http_head head_;
  std::size_t header_bytes_ = 0;
  std::string buffer_;
  std::size_t taken_ = 0;
  bool head_whole_ = false;
  bool moved_ = false;
  bool paused_ = false;
  bool done_ = false;
  bool too_large_ = false;
  std::optional<error> failure_;
};

}  // namespace

std::string_view http_head::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

result<std::unique_ptr<http_stream>> http_stream::open(const http_request& request,
                                                       const registry_limits& limits) {
  if (const auto& loaded = libcurl::load(); !loaded) return tl::unexpected(loaded.error());
  auto stream = std::make_unique<curl_stream>(request, limits);
  if (auto ok = stream->begin(); !ok) return tl::unexpected(ok.error());
  return stream;
}

bool is_loopback(std::string_view host) {
  if (host.starts_with("[")) return host.substr(0, host.find(']')) == "[::1";
  host = host.substr(0, host.find(':'));
  if (host == "localhost") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::string origin_of(const std::string& url) {
  if (!libcurl::load()) return {};  // http_stream::open says why
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl().url(), curl().url_cleanup);
  if (!parsed || curl().url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
  const auto part = [&parsed](CURLUPart which) {
    char* text = nullptr;
    if (curl().url_get(parsed.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return std::string{};
    std::string copy = lower(text);
    curl().free(text);
    return copy;
  };
  return part(CURLUPART_SCHEME) + "://" + part(CURLUPART_HOST) + ":" + part(CURLUPART_PORT);
}

std::string url_encode(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      encoded.push_back(c);
    } else {
      encoded.append({'%', hex[byte >> 4U], hex[byte & 15U]});
    }
  }
  return encoded;
}

}  // namespace firstlight
