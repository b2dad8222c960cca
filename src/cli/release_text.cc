#include "cli/release_text.h"

#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/json_fields.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

std::string_view color_of(std::string_view state, const Palette& palette) {
  return state == "complete"                         ? palette.green
         : state == "rolled_back" || state == "held" ? palette.red
                                                     : std::string_view();
}

/// "120 requests, 1 failed".
std::string side_text(const json::object& release, std::string_view key) {
  const json::object side = object_field(release, key);
  return fmt::format("{} ({} failed)", number_field(side, "requests"),
                     number_field(side, "errors"));
}

void print_release(const json::object& release, const Palette& palette,
                   const Environment& environment) {
  const std::string state = text_field(release, "state");
  const std::string version = text_field(release, "version");
  const std::string upstream = text_field(release, "upstream");
  environment.out << fmt::format(
      "{:<20} {:<24} {}{:<11}{} {:>7} {:>22} {:>22}\n", text_field(release, "route"),
      version.empty() ? upstream : fmt::format("{} {}", upstream, version),
      color_of(state, palette), state, palette.off, text_field(release, "share"),
      side_text(release, "released"), side_text(release, "others"));
  std::string why = text_field(release, "cause");
  if (const std::string numbers = text_field(release, "numbers"); !numbers.empty()) {
    why += ": " + numbers;
  }
  if (release.contains("next_step_ms")) {
    why += fmt::format("; next step in {} s", number_field(release, "next_step_ms") / 1000);
  }
  environment.out << fmt::format("{:<20} by {} at {}: {}\n", "", text_field(release, "actor"),
                                 text_field(release, "changed"), why);
}

}  // namespace

void print_releases(const json::object& status, const Palette& palette,
                    const Environment& environment) {
  const std::vector<json::object> releases = objects_field(status, "releases");
  if (releases.empty()) {
    return;
  }
  environment.out << fmt::format("{}{:<20} {:<24} {:<11} {:>7} {:>22} {:>22}{}\n", palette.bold,
                                 "RELEASE OF ROUTE", "TO", "STATE", "SHARE", "ITS REQUESTS",
                                 "OF THE OTHERS", palette.off);
  for (const json::object& release : releases) {
    print_release(release, palette, environment);
  }
}

}  // namespace hangu::cli
