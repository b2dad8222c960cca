#include "cli/config_gateway.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/query.h"
#include "hangu/base/utf8.h"
#include "hangu/base/visible.h"
#include "hangu/config/diagnostic.h"

#include "cli/admin_client.h"
#include "cli/config_file.h"
#include "cli/element_files.h"
#include "cli/json_fields.h"
#include "cli/terminal.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

// With a config of 100,000 routes a change takes its time.
constexpr Duration kPatience = std::chrono::minutes(1);
constexpr std::string_view kDocuments = "/config/documents";

/// What is wrong, as the gateway says it.
int tell(const AdminReply& reply, const Environment& environment) {
  const json::object problem = object_from(reply.body);
  const auto diagnostics = diagnostics_from(array_field(problem, "diagnostics"));
  environment.err << config::format_diagnostics(diagnostics, environment.color_err);
  const std::string detail = text_field(problem, "detail");
  print_error(environment, detail.empty() ? fmt::format("status {}", reply.status) : detail);
  return diagnostics.empty() ? kRuntimeFailure : kInvalidConfig;
}

/// The body of a good answer; else the exit code, and the user has been told.
Result<json::object, int> ask(const AdminAddress& address, const AdminQuestion& question,
                              const Environment& environment) {
  const auto reply = ask_running(address, question, environment);
  if (!reply) {
    return Failure<int>{reply.error()};
  }
  if (reply->status < 200 || reply->status >= 300) {
    return Failure<int>{tell(*reply, environment)};
  }
  return object_from(reply->body);
}

void print_element(const json::object& element, const Environment& environment) {
  const std::string reason = text_field(element, "reason");
  environment.out << fmt::format("{:<40} {:<10} {}{}\n", visible(text_field(element, "key")),
                                 visible(text_field(element, "source")),
                                 flag_field(element, "in_force") ? "in force" : "not in force",
                                 reason.empty() ? "" : ": " + std::string(visible(reason)));
}

/// What only a config centre has.
std::string unknown_here(const ConfigChangeOptions& options) {
  if (!options.key.empty()) {
    return "--key";
  }
  if (!options.author.empty()) {
    return "--author";
  }
  if (options.expected_generation) {
    return "--if-generation";
  }
  return options.by_rollout ? "--rollout" : "";
}

/// As POST /config/changes has it.
json::array changes_of(const std::vector<config::Document>& elements,
                       const ConfigChangeOptions& options, const json::object& there) {
  json::array changes;
  std::set<std::string> keys;
  for (const config::Document& each : elements) {
    keys.insert(each.key);
    changes.push_back(json::object{{"key", each.key}, {"yaml", each.text.value_or("")}});
  }
  for (const std::string& key : options.removals) {
    changes.push_back(json::object{{"key", key}, {"document", nullptr}});
    keys.insert(key);
  }
  for (const json::object& each : objects_field(there, "documents")) {
    const std::string key = text_field(each, "key");
    if (options.prune && text_field(each, "source") == "document" && !keys.contains(key)) {
      changes.push_back(json::object{{"key", key}, {"document", nullptr}});
    }
  }
  return changes;
}

bool is_text(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_string();
}

void print_changed(const json::object& answer, bool dry_run, const Environment& environment) {
  const Palette palette(environment.color_out);
  size_t count = 0;
  for (const json::object& each : objects_field(answer, "documents")) {
    const bool before = is_text(each, "before");
    const bool after = is_text(each, "etag");
    if (before && after && text_field(each, "before") == text_field(each, "etag")) {
      continue;
    }
    ++count;
    environment.out << palette.bold << (!before ? '+' : (!after ? '-' : '~')) << ' '
                    << visible(text_field(each, "key")) << palette.off << '\n';
  }
  environment.err << config::format_diagnostics(diagnostics_from(array_field(answer, "warnings")),
                                                environment.color_err);
  environment.out << fmt::format("{} documents {}\n", count, dry_run ? "would change" : "changed");
}

}  // namespace

bool is_about_a_gateway(const ConfigChangeOptions& options) {
  if (!options.target.socket.empty() || options.target.wants_tls()) {
    return true;
  }
  const auto path = find_config(options.target.config);
  if (!path) {
    return false;
  }
  const config::LoadResult loaded = config::load_file(*path);
  return loaded.config && !loaded.config->config_center.enabled;
}

int get_from_gateway(const ConfigChangeOptions& options, const Environment& environment) {
  const auto address = find_running(options.target, environment);
  if (!address) {
    return address.error();
  }
  AdminQuestion question{.method = "GET", .path = std::string(kDocuments)};
  if (options.document.empty()) {
    const auto list = ask(*address, question, environment);
    if (!list) {
      return list.error();
    }
    for (const json::object& each : objects_field(*list, "documents")) {
      print_element(each, environment);
    }
    return kOk;
  }
  const size_t slash = std::min(options.document.find('/'), options.document.size());
  question.path += "/" + admin::percent_encode(options.document.substr(0, slash));
  if (slash < options.document.size()) {
    question.path += "/" + admin::percent_encode(options.document.substr(slash + 1));
  }
  question.accept = "application/yaml";
  const auto reply = ask_running(*address, question, environment);
  if (!reply) {
    return reply.error();
  }
  if (reply->status != 200) {
    return tell(*reply, environment);
  }
  environment.out << reply->body << (reply->body.ends_with('\n') ? "" : "\n");
  return kOk;
}

int push_to_gateway(const ConfigChangeOptions& options, const Environment& environment) {
  if (const std::string option = unknown_here(options); !option.empty()) {
    print_error(environment, option + " is for a config centre, and here a gateway is asked");
    return kUsage;
  }
  const auto elements = read_elements(options, environment);
  if (!elements) {
    return elements.error();
  }
  const auto address = find_running(options.target, environment);
  if (!address) {
    return address.error();
  }
  const auto there = ask(*address, {.method = "GET", .path = std::string(kDocuments)}, environment);
  if (!there) {
    return there.error();
  }
  json::array changes = changes_of(*elements, options, *there);
  if (changes.empty()) {
    environment.out << "0 documents changed\n";
    return kOk;
  }
  const json::object body{{"message", utf8_repaired(options.message)},
                          {"changes", std::move(changes)}};
  // Whoever else writes meanwhile is not overwritten.
  const AdminQuestion question{
      .method = "POST",
      .path = options.dry_run ? "/config/changes?dry_run=true" : "/config/changes",
      .body = json::serialize(body),
      .if_match = text_field(*there, "config_etag"),
      .patience = kPatience};
  const auto answer = ask(*address, question, environment);
  if (!answer) {
    return answer.error();
  }
  print_changed(*answer, options.dry_run, environment);
  if (!options.dry_run && !flag_field(*answer, "in_force")) {
    print_error(environment, "written, but not in force: " + text_field(*answer, "reason"));
    return kRuntimeFailure;
  }
  return kOk;
}

}  // namespace hangu::cli
