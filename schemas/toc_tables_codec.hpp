#pragma once
#include <capnp/message.h>

#include "model/columns.hpp"
#include "schemas/protocol.capnp.h"

/// The columns of a TOC frame, as both codecs of it write them.
namespace firstlight::detail {

/// In which columns the unpacked bytes are.
inline result<std::vector<column_table>> read_tables(capnp::List<wire::TocFrame::Table>::Reader from) {
  std::vector<column_table> tables;
  tables.reserve(from.size());
  for (const auto one : from) {
    column_table table{one.getOffset(), one.getRows(), {}};
    for (const auto form : one.getForms()) {
      if (form > column_form_last) return fail(errc::corrupt, "a column of an unknown form");
      table.columns.push_back(static_cast<column_form>(form));
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

inline void write_tables(capnp::List<wire::TocFrame::Table>::Builder to,
                         const std::vector<column_table>& tables) {
  for (unsigned i = 0; i < to.size(); ++i) {
    to[i].setOffset(tables[i].offset);
    to[i].setRows(tables[i].rows);
    auto forms = to[i].initForms(static_cast<unsigned>(tables[i].columns.size()));
    for (unsigned c = 0; c < forms.size(); ++c) forms[c] = static_cast<kj::byte>(tables[i].columns[c]);
  }
}

}  // namespace firstlight::detail
