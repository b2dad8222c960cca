#include "hangu/control/release_book.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <boost/json.hpp>

#include "hangu/base/file_bytes.h"
#include "hangu/base/log.h"
#include "hangu/base/replace_file.h"
#include "hangu/control/loader.h"

namespace hangu::control {
namespace {

namespace json = boost::json;

constexpr uint64_t kVersion = 1;

json::object state_json(const SavedRelease& saved) {
  const policy::ReleaseState& state = saved.state;
  json::object out = {{"route", saved.route},
                      {"release", saved.release},
                      {"guard", saved.guard},
                      {"revision", state.revision},
                      {"stage", json::string(policy::to_string(state.stage))},
                      {"share", state.share},
                      {"changed_ms", state.changed_ms},
                      {"cause", state.cause},
                      {"numbers", state.numbers},
                      {"actor", state.actor},
                      {"judged_from", state.judged_from}};
  if (state.baseline.known) {
    out["baseline"] = {{"error_ratio", state.baseline.error_ratio},
                       {"p99_us", state.baseline.p99_us}};
  }
  return out;
}

/// Throws what Boost.JSON does when a member is not there or of another type.
SavedRelease read_state(const json::object& in) {
  SavedRelease saved;
  saved.route = json::value_to<std::string>(in.at("route"));
  saved.release = json::value_to<std::string>(in.at("release"));
  saved.guard = json::value_to<std::string>(in.at("guard"));
  policy::ReleaseState& state = saved.state;
  state.revision = json::value_to<uint64_t>(in.at("revision"));
  state.share = std::min(json::value_to<uint32_t>(in.at("share")), policy::TrafficSplit::kBuckets);
  state.changed_ms = json::value_to<int64_t>(in.at("changed_ms"));
  state.cause = json::value_to<std::string>(in.at("cause"));
  state.numbers = json::value_to<std::string>(in.at("numbers"));
  state.actor = json::value_to<std::string>(in.at("actor"));
  state.judged_from = json::value_to<uint64_t>(in.at("judged_from"));
  const auto stage = json::value_to<std::string>(in.at("stage"));
  const auto* const found =
      std::find_if(std::begin(policy::kReleaseStages), std::end(policy::kReleaseStages),
                   [&](policy::ReleaseStage each) { return policy::to_string(each) == stage; });
  if (found == std::end(policy::kReleaseStages)) {
    throw std::system_error(EINVAL, std::generic_category());
  }
  state.stage = *found;
  if (const json::value* baseline = in.if_contains("baseline")) {
    state.baseline = {.known = true,
                      .error_ratio = json::value_to<double>(baseline->at("error_ratio")),
                      .p99_us = json::value_to<uint64_t>(baseline->at("p99_us"))};
  }
  return saved;
}

json::object numbers_json(const policy::ReleaseNumbers& numbers) {
  json::array latency;  // those that are not 0
  for (size_t i = 0; i < numbers.latency.size(); ++i) {
    if (numbers.latency[i] != 0) {
      latency.push_back(json::array{i, numbers.latency[i]});
    }
  }
  return {{"requests", numbers.requests}, {"errors", numbers.errors}, {"latency", latency}};
}

policy::ReleaseNumbers read_numbers(const json::value& in) {
  policy::ReleaseNumbers numbers;
  numbers.requests = json::value_to<uint64_t>(in.at("requests"));
  numbers.errors = json::value_to<uint64_t>(in.at("errors"));
  for (const json::value& each : in.at("latency").as_array()) {
    const auto bucket = json::value_to<size_t>(each.at(0));
    numbers.latency.at(bucket) = json::value_to<uint64_t>(each.at(1));
  }
  return numbers;
}

std::string path_in(const std::string& directory) {
  return directory + "/releases";
}

}  // namespace

std::string encode(const SavedReleases& releases) {
  json::array all;
  for (const SavedRelease& each : releases) {
    all.push_back(state_json(each));
  }
  return json::serialize(json::object{{"version", kVersion}, {"releases", std::move(all)}}) + "\n";
}

std::optional<SavedReleases> decode_releases(std::string_view text) {
  try {
    const json::value parsed = json::parse(json::string_view(text.data(), text.size()));
    if (json::value_to<uint64_t>(parsed.at("version")) != kVersion) {
      return std::nullopt;
    }
    SavedReleases releases;
    for (const json::value& each : parsed.at("releases").as_array()) {
      releases.push_back(read_state(each.as_object()));
    }
    return releases;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::string encode(const ReleaseTestimony& testimony) {
  return json::serialize(json::object{{"release", testimony.release},
                                      {"judged_from", testimony.judged_from},
                                      {"released", numbers_json(testimony.seen.released)},
                                      {"others", numbers_json(testimony.seen.others)}});
}

std::optional<ReleaseTestimony> decode_testimony(std::string_view text) {
  try {
    const json::value parsed = json::parse(json::string_view(text.data(), text.size()));
    return ReleaseTestimony{.release = json::value_to<std::string>(parsed.at("release")),
                            .judged_from = json::value_to<uint64_t>(parsed.at("judged_from")),
                            .seen = {.released = read_numbers(parsed.at("released")),
                                     .others = read_numbers(parsed.at("others"))}};
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

SavedReleases ReleaseFile::load() {
  const std::string path = path_in(directory_);
  const auto text = read_whole_file(path);
  if (!text && text.error() == std::errc::no_such_file_or_directory) {
    return {};
  }
  auto releases = text ? decode_releases(*text) : std::nullopt;
  if (!releases) {
    const std::string aside = path + ".bad";
    std::rename(path.c_str(), aside.c_str());
    log::error("event=releases_damaged file={} moved_to={} effect=\"releases begin anew\"", path,
               aside);
    return {};
  }
  return std::move(*releases);
}

void ReleaseFile::save(const SavedReleases& releases) {
  writer_.run([directory = directory_, text = encode(releases)] {
    std::error_code error;
    if (::mkdir(directory.c_str(), 0750) != 0 && errno != EEXIST) {
      error = {errno, std::generic_category()};
    } else {
      error = replace_file(path_in(directory), text, 0640);
    }
    if (error) {
      log::error("event=releases_not_saved file={} error=\"{}\"", path_in(directory),
                 error.message());
    }
  });
}

}  // namespace hangu::control
