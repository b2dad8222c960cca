// `hangu plugin`: the plugins of the running process, and other versions of them.
#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/json.h"
#include "hangu/admin/query.h"

#include "cli/admin_client.h"
#include "cli/json_fields.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

constexpr size_t kDigestShown = 12;
constexpr std::string_view kHint = "`hangu plugin list` shows them";

std::string short_digest(const json::object& plugin, std::string_view key) {
  return text_field(plugin, key).substr(0, kDigestShown);
}

/// What a call costs on average.
std::string mean_time(const json::object& counts) {
  const uint64_t calls = number_field(counts, "calls");
  return calls == 0 ? "-" : fmt::format("{} ns", number_field(counts, "time_ns") / calls);
}

void print_plugin(const json::object& plugin, const Palette& palette,
                  const Environment& environment) {
  const json::object counts = object_field(plugin, "counts");
  environment.out << fmt::format(
      "{:<16} {:<10} {:<12} {:>12} {:>10} {:>8} {:>8}\n", text_field(plugin, "name"),
      text_field(plugin, "version"), short_digest(plugin, "sha256"), number_field(counts, "calls"),
      mean_time(counts), number_field(counts, "errors"), number_field(counts, "overruns"));
  environment.out << fmt::format("{:<16} {}, since {}\n", "", text_field(plugin, "path"),
                                 text_field(plugin, "since"));
  if (const std::string signer = text_field(plugin, "signed_by"); !signer.empty()) {
    environment.out << fmt::format("{:<16} signed by {}\n", "", signer);
  }
  if (const std::string previous = text_field(plugin, "previous_sha256"); !previous.empty()) {
    environment.out << fmt::format("{:<16} before it: {} ({})\n", "",
                                   text_field(plugin, "previous_version"),
                                   short_digest(plugin, "previous_sha256"));
  }
  if (const std::string error = text_field(plugin, "error"); !error.empty()) {
    environment.out << fmt::format("{:<16} {}last swap failed: {}{}\n", "", palette.red, error,
                                   palette.off);
  }
}

}  // namespace

int plugin_list(const PluginOptions& options, const Environment& environment) {
  const auto body =
      answer_of_running(options.target, {.method = "GET", .path = "/plugins"}, kHint, environment);
  if (!body) {
    return body.error();
  }
  if (options.json) {
    environment.out << admin::pretty(*body) << '\n';
    return kOk;
  }
  const Palette palette(environment.color_out);
  environment.out << fmt::format("{}{:<16} {:<10} {:<12} {:>12} {:>10} {:>8} {:>8}{}\n",
                                 palette.bold, "PLUGIN", "VERSION", "SHA-256", "CALLS", "EACH",
                                 "ERRORS", "OVERRUNS", palette.off);
  const std::vector<json::object> plugins = objects_field(*body, "plugins");
  for (const json::object& plugin : plugins) {
    print_plugin(plugin, palette, environment);
  }
  if (plugins.empty()) {
    environment.out << "the config names no plugin\n";
  }
  return kOk;
}

int plugin_change(const PluginOptions& options, const Environment& environment) {
  const std::string path =
      fmt::format("/plugin?name={}&change={}", admin::percent_encode(options.name), options.change);
  const auto body =
      answer_of_running(options.target, {.method = "POST", .path = path}, kHint, environment);
  if (!body) {
    return body.error();
  }
  if (options.json) {
    environment.out << admin::pretty(*body) << '\n';
    return kOk;
  }
  for (const json::object& plugin : objects_field(*body, "plugins")) {
    if (text_field(plugin, "name") == options.name) {
      environment.out << fmt::format("{}: {} version {} ({})\n", options.name,
                                     flag_field(*body, "changed") ? "now" : "unchanged,",
                                     text_field(plugin, "version"), short_digest(plugin, "sha256"));
    }
  }
  return kOk;
}

}  // namespace hangu::cli
