#include "actors/node/filter_pattern.hpp"

#include <re2/re2.h>

#include <memory>

namespace firstlight {

result<snapshot_filter::pattern> compile_filter_pattern(const std::string& expression,
                                                        std::uint32_t bytes_max) {
  RE2::Options options;
  options.set_max_mem(bytes_max);
  options.set_log_errors(false);
  auto compiled = std::make_shared<const RE2>(expression, options);
  if (compiled->ok())
    return snapshot_filter::pattern([compiled](std::string_view text) {
      return RE2::PartialMatch({text.data(), text.size()}, *compiled);
    });
  const auto too_large = compiled->error_code() == RE2::ErrorPatternTooLarge;
  return fail(too_large ? errc::limit_exceeded : errc::invalid_argument,
              too_large ? "pattern_bytes_max: the regular expression takes too much memory"
                        : expression + " is no regular expression: " + compiled->error());
}

}  // namespace firstlight
