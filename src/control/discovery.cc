#include "control/discovery.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "hangu/control/process.h"

namespace hangu::control {
namespace {

// In which upstreams of the cache that the config lacks may still come.
constexpr Duration kCacheSettles = std::chrono::minutes(10);

}  // namespace

struct Discovery::Entry {
  explicit Entry(const config::Upstream& upstream)
      : upstream_name(upstream.name),
        settings(upstream.discovery),
        known(upstream.name, upstream.discovery) {}

  uint64_t id = 0;
  std::string upstream_name;
  config::Discovery settings;
  KnownInstances known;
  std::unique_ptr<InstanceSource> source;
};

Discovery::Discovery(boost::asio::io_context& context, Resolvers& resolvers, Hooks hooks)
    : context_(context),
      resolvers_(resolvers),
      hooks_(std::move(hooks)),
      cache_(context, hooks_.loader) {}

Discovery::~Discovery() = default;

void Discovery::prepare(const config::Config& config) {
  std::vector<uint64_t> added;
  for (const config::Upstream& upstream : config.upstreams) {
    if (!upstream.discovery.enabled() || find(upstream) != nullptr) {
      continue;
    }
    add(config, upstream);
    added.push_back(next_id_ - 1);
  }
  // An answer may come inside start(), and its receiver may change the table.
  for (const uint64_t id : added) {
    if (Entry* const entry = find(id)) {
      entry->source->start();
    }
  }
}

void Discovery::add(const config::Config& config, const config::Upstream& upstream) {
  if (began_ == TimePoint{}) {
    began_ = monotonic_now();
    cache_.open(config.state_dir);
  }
  Entry& entry = *entries_.emplace(upstream.name, std::make_unique<Entry>(upstream))->second;
  entry.id = next_id_++;
  entry.known.restore(cache_.find(upstream.name, source_name(upstream.discovery)));
  entry.source = make_source(config, upstream, [this, id = entry.id](FoundInstances found) {
    take(id, std::move(found));
  });
}

void Discovery::apply(const config::Config& config) {
  std::unordered_map<std::string_view, const config::Upstream*> upstreams;
  for (const config::Upstream& upstream : config.upstreams) {
    upstreams.emplace(upstream.name, &upstream);
  }
  std::erase_if(entries_, [&](const auto& each) {
    const auto upstream = upstreams.find(each.first);
    const bool goes_on =
        upstream != upstreams.end() && upstream->second->discovery == each.second->settings;
    if (goes_on) {
      each.second->source->follow(*upstream->second);
    }
    return !goes_on;
  });
  prepare(config);
  // Before, documents of a config centre may bring more upstreams.
  if (began_ != TimePoint{} && monotonic_now() - began_ > kCacheSettles) {
    cache_.retain([&](const std::string& upstream) { return upstreams.contains(upstream); });
  }
}

bool Discovery::pending() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const auto& each) { return !each.second->known.answered(); });
}

const std::vector<config::Endpoint>& Discovery::instances(const config::Upstream& upstream) const {
  static const std::vector<config::Endpoint> kNone;
  const Entry* const entry = find(upstream);
  return entry != nullptr ? entry->known.endpoints() : kNone;
}

std::vector<DiscoveryStatus> Discovery::status() const {
  std::vector<DiscoveryStatus> all;
  for (const auto& [upstream, entry] : entries_) {
    all.push_back(entry->known.status());
  }
  return all;
}

Discovery::Entry* Discovery::find(const config::Upstream& upstream) const {
  if (!upstream.discovery.enabled()) {
    return nullptr;
  }
  const auto [begin, end] = entries_.equal_range(upstream.name);
  const auto found = std::find_if(
      begin, end, [&](const auto& each) { return each.second->settings == upstream.discovery; });
  return found == end ? nullptr : found->second.get();
}

Discovery::Entry* Discovery::find(uint64_t id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [id](const auto& each) { return each.second->id == id; });
  return found == entries_.end() ? nullptr : found->second.get();
}

std::unique_ptr<InstanceSource> Discovery::make_source(const config::Config& config,
                                                       const config::Upstream& upstream,
                                                       InstanceSource::Sink sink) {
  if (!upstream.discovery.srv.empty()) {
    return make_srv_source(context_, resolvers_, upstream, std::move(sink));
  }
  if (!upstream.discovery.etcd.prefix.empty()) {
    etcd::Options options = registry_options(upstream.discovery.etcd, config.config_center);
    std::weak_ptr<EtcdRegistry>& known = registries_[registry_key(options)];
    std::shared_ptr<EtcdRegistry> registry = known.lock();
    if (registry == nullptr) {
      registry = std::make_shared<EtcdRegistry>(context_, std::move(options));
      known = registry;
    }
    return EtcdRegistry::make_source(std::move(registry), upstream.discovery.etcd.prefix,
                                     std::move(sink));
  }
  if (folders_ == nullptr) {
    folders_ = std::make_shared<FolderWatch>(context_);
  }
  return make_file_source(
      context_, {.path = upstream.discovery.file, .watch = folders_, .loader = hooks_.loader},
      std::move(sink));
}

void Discovery::take(uint64_t id, FoundInstances found) {
  Entry* const entry = find(id);
  if (entry == nullptr) {
    return;
  }
  const bool first = !entry->known.answered();
  const bool changed = entry->known.take(std::move(found), wall_now());
  if (entry->known.status().state == DiscoveryStatus::State::kFresh) {
    cache_.put(entry->upstream_name, {entry->known.status().source, entry->known.endpoints()});
  }
  if (changed || first) {
    const std::string name = entry->upstream_name;  // the receiver may end this one
    hooks_.on_news(name);
  }
}

}  // namespace hangu::control
