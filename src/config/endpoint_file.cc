#include "hangu/config/endpoint_file.h"

#include <algorithm>

#include "config/document.h"
#include "config/endpoint_type.h"
#include "config/file.h"
#include "config/keys.h"
#include "config/reader.h"
#include "config/rules.h"
#include "config/text.h"

namespace hangu::config {

EndpointFile read_endpoint_file(std::string_view text, std::string_view name) {
  const SourceText source(text);
  const LoadOptions options;
  Reader reader(source, name, options);
  std::vector<YamlProblem> problems;
  const YamlDocument document = parse_yaml(text, problems);
  report_problems(reader, problems);
  EndpointFile file;
  if (document.root != nullptr) {
    const auto type = list<Instance>(
        std::make_unique<InstanceType>(),
        {.name = "list of endpoints", .example = "[\"127.0.0.1:9000\"]", .warn_repeated = true});
    type->read(reader, *document.root, &file.instances);
  }
  file.problems = reader.take_diagnostics();
  return file;
}

EndpointFile load_endpoint_file(const std::string& path) {
  const Result<std::string, std::string> text = read_file(path, kEndpointFileBytesMax);
  if (text) {
    return read_endpoint_file(*text, path);
  }
  EndpointFile file;
  file.problems.emplace_back();
  file.problems.back().code = "E0100";
  file.problems.back().file = path;
  file.problems.back().message = "cannot read the file: " + text.error();
  return file;
}

Result<Endpoint, std::string> parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  if (std::optional<Problem> problem = check_endpoint(text, endpoint)) {
    return Failure<std::string>{std::move(problem->message)};
  }
  return endpoint;
}

bool is_instance_label_name(std::string_view name) {
  return !name.empty() && name.size() <= kInstanceLabelNameBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return is_alnum(c) || c == '.' || c == '_' || c == '/' || c == '-';
         });
}

bool is_instance_label_value(std::string_view value) {
  return value.size() <= kInstanceLabelValueBytesMax &&
         std::none_of(value.begin(), value.end(), is_control);
}

bool has_labels(const InstanceLabels& labels, const InstanceLabels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& each) {
    const auto label = labels.find(each.first);
    return label != labels.end() && label->second == each.second;
  });
}

std::string format_labels(const InstanceLabels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    const bool plain = value.find_first_of(", \"") == std::string::npos;
    text += (text.empty() ? "" : ", ") + name + ": " + (plain ? value : quoted(value));
  }
  return "{" + text + "}";
}

}  // namespace hangu::config
