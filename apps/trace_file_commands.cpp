#include "apps/image_arguments.hpp"
#include "apps/table.hpp"
#include "apps/trace_files.hpp"
#include "config/admin_socket_limits.hpp"

namespace firstlight {
namespace {

struct import_arguments : image_arguments {
  std::vector<std::string> paths;
};

/// As many of the texts as one request takes, at least one. They are moved out of `texts`.
std::vector<std::string> next_batch(std::vector<std::string>& texts, std::size_t from) {
  std::vector<std::string> batch;
  std::size_t bytes = 0;
  for (; from < texts.size(); ++from) {
    if (!batch.empty() && bytes + texts[from].size() > admin_socket_limits{}.page_bytes) break;
    bytes += texts[from].size();
    batch.push_back(std::move(texts[from]));
  }
  return batch;
}

result<admin_trace_imported> import_all(const import_arguments& in, std::vector<std::string> texts) {
  admin_trace_imported all;
  for (std::size_t done = 0; done < texts.size();) {
    const admin_trace_import request{next_batch(texts, done), in.platform,
                                     static_cast<std::uint32_t>(done + 1)};
    done += request.files.size();
    const auto said = ask_for<admin_trace_imported>(daemon_kind::hub, in.daemon, request);
    if (!said) return said;
    all.added += said->added;
    all.known += said->known;
    all.refused.insert(all.refused.end(), said->refused.begin(), said->refused.end());
  }
  return all;
}

result<int> import_traces(const import_arguments& in) {
  std::vector<std::string> texts;
  for (const auto& path : in.paths) {
    auto read = read_trace_files(path);
    if (!read) return tl::unexpected(read.error());
    std::move(read->begin(), read->end(), std::back_inserter(texts));
  }
  const auto done = import_all(in, std::move(texts));
  const auto code = show(done, in.daemon.output, [](const admin_trace_imported& said) {
    std::printf("%u added, %u known already\n", said.added, said.known);
  });
  if (!code || done->refused.empty()) return code;
  for (std::size_t i = 1; i < done->refused.size(); ++i)
    std::fprintf(stderr, "firstlight: %s\n", printable(done->refused[i]).c_str());
  return fail(errc::invalid_argument, printable(done->refused.front()));
}

void add_import(command_tree& tree, CLI::App& group) {
  auto in = std::make_shared<import_arguments>();
  auto* command = tree.add(
      group,
      {.name = "import",
       .summary = "Take trace files of other tools in.",
       .examples = "firstlight trace import traces/\nfirstlight trace import redis.json\n"
                   "firstlight trace import collection.json",
       .details =
           "A file is {\"group\",\"image\":{\"n\",\"t\"},\"start\",\"seq\":[{\"f\",\"a\",\"w\"}]}, times of "
           "\"a\" and \"w\" in nanoseconds, or a collection {\"Groups\":[{\"h\",\"i\"}]}, whose groups are "
           "taken apart into their starts. Their images must be on the hub. Of a folder its collection.json "
           "is taken only if there is no other file."},
      [in] { return import_traces(*in); });
  command->add_option("path", in->paths, "trace files, or folders with them")->required()->type_name("PATH");
  command->add_option("--platform", in->platform, "of the images (default: the hub's own)")
      ->type_name("PLATFORM");
  add_daemon_options(*command, in->daemon, daemon_kind::hub);
}

struct export_arguments : image_arguments {
  std::string folder;
};

result<admin_trace_texts> all_pages(const export_arguments& in) {
  admin_trace_texts all;
  for (admin_trace_export request{in.reference, in.platform, {}};;) {
    auto page = ask_for<admin_trace_texts>(daemon_kind::hub, in.daemon, request);
    if (!page) return page;
    std::move(page->traces.begin(), page->traces.end(), std::back_inserter(all.traces));
    if (!page->more || page->traces.empty()) break;
    request.after = all.traces.back().id;
  }
  auto collection = collection_of(all.traces);
  if (!collection) return tl::unexpected(collection.error());
  all.collection = std::move(*collection);
  return all;
}

result<int> export_traces(const export_arguments& in) {
  const auto texts = all_pages(in);
  if (!texts) return tl::unexpected(texts.error());
  if (in.folder.empty()) {
    std::printf("%s\n",
                in.daemon.output.json ? to_json(admin_reply(*texts)).c_str() : texts->collection.c_str());
    return 0;
  }
  if (auto written = write_trace_files(in.folder, *texts); !written) return tl::unexpected(written.error());
  if (in.daemon.output.json)
    std::printf("{\"traces\":%zu}\n", texts->traces.size());
  else if (!in.daemon.output.quiet)
    std::printf("%zu traces\n", texts->traces.size());
  return 0;
}

void add_export(command_tree& tree, CLI::App& group) {
  auto in = std::make_shared<export_arguments>();
  auto* command = tree.add(
      group,
      {.name = "export",
       .summary = "Give traces out as JSON that other tools read.",
       .examples = "firstlight trace export > collection.json\nfirstlight trace export redis:7 --to traces",
       .details = "Without --to the collection of optimised groups is printed; with it each trace goes to a "
                  "file of its own, and the collection to collection.json."},
      [in] { return export_traces(*in); });
  command->add_option("image", in->reference, "only of this image")->type_name("REFERENCE");
  command->add_option("--platform", in->platform, "of the image (default: the hub's own)")
      ->type_name("PLATFORM");
  command->add_option("--to", in->folder, "folder for the files; made when missing")->type_name("FOLDER");
  add_daemon_options(*command, in->daemon, daemon_kind::hub);
}

}  // namespace

void add_trace_file_commands(command_tree& tree, CLI::App& group) {
  add_import(tree, group);
  add_export(tree, group);
}

}  // namespace firstlight
