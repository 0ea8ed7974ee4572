#pragma once

namespace firstlight {

/// A visitor made of lambdas: `std::visit(overloaded{[](int) {...}, [](const auto&) {...}}, value)`.
template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
overloaded(Ts...) -> overloaded<Ts...>;

}  // namespace firstlight
