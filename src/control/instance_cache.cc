#include "control/instance_cache.h"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/base/file_bytes.h"
#include "hangu/base/log.h"
#include "hangu/base/replace_file.h"
#include "hangu/config/endpoint_file.h"
#include "hangu/control/loader.h"

namespace hangu::control {
namespace {

namespace json = boost::json;

constexpr Duration kSaveDelay = std::chrono::seconds(1);
constexpr std::uintmax_t kBytesMax = 64UL * 1024 * 1024;
constexpr int64_t kVersion = 1;

const json::value* member(const json::value& object, std::string_view name) {
  const json::object* const members = object.if_object();
  return members != nullptr ? members->if_contains(name) : nullptr;
}

std::string text_of(const json::value* value) {
  const json::string* const text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string(text->data(), text->size()) : std::string();
}

/// nullopt: it is none that we would have written.
std::optional<config::Endpoint> endpoint_of(const json::value& value) {
  auto endpoint = config::parse_endpoint(text_of(member(value, "address")));
  const json::value* const weight = member(value, "weight");
  const json::value* const priority = member(value, "priority");
  if (!endpoint || weight == nullptr || !weight->is_int64() || priority == nullptr ||
      !priority->is_int64() || weight->get_int64() < 1 ||
      weight->get_int64() > config::kEndpointWeightMax || priority->get_int64() < 0 ||
      priority->get_int64() > config::kPriorityMax) {
    return std::nullopt;
  }
  endpoint->weight = static_cast<uint32_t>(weight->get_int64());
  endpoint->priority = static_cast<uint32_t>(priority->get_int64());
  return *endpoint;
}

void write(const std::string& path, const CachedUpstreams& upstreams) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  error = replace_file(path, to_text(upstreams), 0600);
  if (error) {
    log::warning("discovery_cache_not_written path={} error=\"{}\"", path, error.message());
  }
}

}  // namespace

std::string to_text(const CachedUpstreams& upstreams) {
  json::object all;
  for (const auto& [name, instances] : upstreams) {
    json::array endpoints;
    for (const config::Endpoint& each : instances.endpoints) {
      endpoints.push_back({{"address", config::format_endpoint(each)},
                           {"weight", each.weight},
                           {"priority", each.priority}});
    }
    all[name] = {{"source", instances.source}, {"endpoints", std::move(endpoints)}};
  }
  return json::serialize(json::object{{"version", kVersion}, {"upstreams", std::move(all)}}) + '\n';
}

Result<CachedUpstreams, std::string> cached_from_text(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  const json::value* const version = error ? nullptr : member(value, "version");
  const json::value* const all = error ? nullptr : member(value, "upstreams");
  if (version == nullptr || *version != kVersion || all == nullptr || !all->is_object()) {
    return Failure<std::string>{"it is no cache of instances"};
  }
  CachedUpstreams upstreams;
  for (const auto& [name, each] : all->get_object()) {
    CachedInstances instances;
    instances.source = text_of(member(each, "source"));
    const json::value* const endpoints = member(each, "endpoints");
    if (endpoints == nullptr || !endpoints->is_array() ||
        endpoints->get_array().size() > config::kDiscoveredMax) {
      return Failure<std::string>{"it is damaged"};
    }
    for (const json::value& one : endpoints->get_array()) {
      const std::optional<config::Endpoint> endpoint = endpoint_of(one);
      if (!endpoint) {
        return Failure<std::string>{"it is damaged"};
      }
      instances.endpoints.push_back(*endpoint);
    }
    upstreams.emplace(std::string(name), std::move(instances));
  }
  return upstreams;
}

InstanceCache::InstanceCache(boost::asio::io_context& context, Loader* loader)
    : timer_(context),
      loader_(loader) {}

InstanceCache::~InstanceCache() {
  if (waits_) {
    write(path_, upstreams_);
  }
}

void InstanceCache::open(const std::string& state_dir) {
  if (!path_.empty() || state_dir.empty()) {
    return;
  }
  path_ = state_dir + "/discovery-cache";
  const auto text = read_whole_file(path_, kBytesMax);
  if (!text) {
    if (text.error() != std::errc::no_such_file_or_directory &&
        text.error() != std::errc::not_a_directory) {
      log::warning("discovery_cache_unusable path={} error=\"{}\"", path_, text.error().message());
    }
    return;
  }
  auto read = cached_from_text(*text);
  if (!read) {
    log::warning("discovery_cache_unusable path={} error=\"{}\"", path_, read.error());
    return;
  }
  upstreams_ = std::move(*read);
}

std::vector<config::Endpoint> InstanceCache::find(const std::string& upstream,
                                                  const std::string& source) const {
  const auto found = upstreams_.find(upstream);
  return found != upstreams_.end() && found->second.source == source
             ? found->second.endpoints
             : std::vector<config::Endpoint>{};
}

void InstanceCache::put(const std::string& upstream, CachedInstances instances) {
  CachedInstances& known = upstreams_[upstream];
  if (known != instances) {
    known = std::move(instances);
    save_soon();
  }
}

void InstanceCache::retain(const std::function<bool(const std::string& upstream)>& keeps) {
  const size_t gone =
      std::erase_if(upstreams_, [&](const auto& each) { return !keeps(each.first); });
  if (gone != 0) {
    save_soon();
  }
}

void InstanceCache::save_soon() {
  if (waits_ || path_.empty()) {
    return;
  }
  waits_ = true;
  timer_.expires_after(kSaveDelay);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {  // else this object may be gone
      save();
    }
  });
}

void InstanceCache::save() {
  waits_ = false;
  auto work = [path = path_, upstreams = upstreams_] { write(path, upstreams); };
  loader_ != nullptr ? loader_->run(std::move(work)) : work();
}

}  // namespace hangu::control
