#include "storage/sweep_due.hpp"

namespace firstlight {
namespace {

constexpr table sweep_table{"sweep"};
constexpr std::string_view due_key = "due";

}  // namespace

result<void> sweep_due::note() {
  return metadata_->put(sweep_table, due_key, {}, durability::synced);
}

result<void> sweep_due::done() {
  return metadata_->erase(sweep_table, due_key, durability::synced);
}

result<bool> sweep_due::is_noted() const {
  return metadata_->get(sweep_table, due_key).map([](const auto& found) { return found.has_value(); });
}

}  // namespace firstlight
