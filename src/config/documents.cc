#include "hangu/config/documents.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "config/document.h"
#include "config/reader.h"
#include "config/text.h"
#include "config/yaml_text.h"

namespace hangu::config {
namespace {

void split_list(Reader& reader, const Node::Entry& list, std::vector<Document>& out,
                std::set<std::string>& seen) {
  if (list.value->kind != Node::Kind::kSequence && list.value->kind != Node::Kind::kNull) {
    reader.error(
        list.value->mark,
        {"E0110", fmt::format("expected a list for {}, found {}", list.key, describe(*list.value)),
         ""});
    return;
  }
  for (const Node* item : list.value->items) {
    const Node::Entry* name = item->kind == Node::Kind::kMapping ? item->find("name") : nullptr;
    if (name == nullptr) {
      reader.error(item->mark, {"E0178", "an element without a `name` has no key", ""});
      continue;
    }
    Document document;
    document.key = fmt::format("{}/{}", list.key, name->value->text);
    document.text = yaml_text(*item, "name");
    if (std::string problem = document_key_error(document.key); !problem.empty()) {
      reader.error(name->value->mark, {"E0178", std::move(problem), ""});
    } else if (!seen.insert(document.key).second) {
      reader.error(name->value->mark,
                   {"E0129", fmt::format("{} stands twice in the file", document.key), ""});
    } else {
      out.push_back(std::move(document));
    }
  }
}

}  // namespace

std::vector<Document> split_documents(std::string_view text, std::string_view file,
                                      std::vector<Diagnostic>& problems) {
  const SourceText source(text);
  const LoadOptions options;
  Reader reader(source, file, options);
  std::vector<YamlProblem> found;
  const YamlDocument document = parse_yaml(text, found);
  report_problems(reader, found);
  std::vector<Document> out;
  std::set<std::string> seen;
  const std::vector<std::string_view>& lists = document_lists();
  if (document.root == nullptr && found.empty()) {
    reader.error({}, empty_file());
  } else if (document.root != nullptr && document.root->kind != Node::Kind::kMapping) {
    reader.error(
        document.root->mark,
        {"E0178", "expected lists, such as `routes:`, found " + describe(*document.root), ""});
  } else if (document.root != nullptr) {
    for (const Node::Entry& entry : document.root->entries) {
      if (std::find(lists.begin(), lists.end(), entry.key) != lists.end()) {
        split_list(reader, entry, out, seen);
      } else if (entry.key != "version") {
        reader.error(entry.mark, {"E0178",
                                  fmt::format("{} is each gateway's own: it stands in its file",
                                              quoted(entry.key)),
                                  ""});
      }
    }
  }
  std::vector<Diagnostic> diagnostics = reader.take_diagnostics();
  problems.insert(problems.end(), diagnostics.begin(), diagnostics.end());
  return out;
}

}  // namespace hangu::config
