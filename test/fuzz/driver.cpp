// Runs a fuzzer without libFuzzer: mutates its seeds, from a printed number on, the same on every machine.
//   fuzz_NAME [ITERATIONS [SEED]]   or   fuzz_NAME FILE...  to repeat an input
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

#include "test/fuzz/fuzz_entry.hpp"

namespace {

constexpr std::uint64_t iterations_default = 20'000;
constexpr std::uint64_t seed_default = 20'260'101;
constexpr std::size_t input_bytes_max = 1U << 20U;

class mutator {
 public:
  explicit mutator(std::uint64_t seed) : random_(seed), seeds_(fuzz_seeds()) {}

  std::string next() {
    std::string input = seeds_[below(seeds_.size())];
    for (std::size_t changes = 1 + below(8); changes > 0; --changes) change(input);
    input.resize(std::min(input.size(), input_bytes_max));
    return input;
  }

 private:
  std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }

  void change(std::string& input) {
    const std::size_t at = below(input.size());
    const std::size_t length = std::min(input.size() - at, 1 + below(64));
    switch (below(7)) {
      case 0:
        if (!input.empty()) input[at] = static_cast<char>(random_());
        break;
      case 1:
        if (!input.empty()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
        break;
      case 2:
        input.erase(at, length);
        break;
      case 3:
        input.insert(at, input.substr(below(input.size()), length));
        break;
      case 4:
        input.resize(at);
        break;
      case 5:
        input.insert(at, length, static_cast<char>(random_()));
        break;
      default:
        splice(input, at);
        break;
    }
  }

  void splice(std::string& input, std::size_t at) {
    const std::string& other = seeds_[below(seeds_.size())];
    input.resize(at);
    input += other.substr(below(other.size()));
  }

  std::mt19937_64 random_;
  std::vector<std::string> seeds_;
};

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

bool is_number(const char* text) {
  return text[0] >= '0' && text[0] <= '9';
}

}  // namespace

int main(int count, char** words) {
  if (count > 1 && !is_number(words[1])) {
    for (int i = 1; i < count; ++i) {
      std::ifstream file(words[i], std::ios::binary);
      run({std::istreambuf_iterator<char>(file), {}});
    }
    return 0;
  }
  const std::uint64_t iterations = count > 1 ? std::strtoull(words[1], nullptr, 10) : iterations_default;
  const std::uint64_t seed = count > 2 ? std::strtoull(words[2], nullptr, 10) : seed_default;
  std::printf("%s: %llu inputs from seed %llu\n", words[0], static_cast<unsigned long long>(iterations),
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  for (const auto& whole : fuzz_seeds()) run(whole);
  mutator inputs(seed);
  for (std::uint64_t i = 0; i < iterations; ++i) run(inputs.next());
  return 0;
}
