#include "hangu/control/endpoint_refresher.h"

#include <arpa/inet.h>

#include <algorithm>
#include <set>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hangu/base/log.h"

#include "control/discovery.h"
#include "control/resolvers.h"
#include "control/ttl_bounds.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

const config::Upstream* find_upstream(const config::Config& config, std::string_view name) {
  const auto found = std::find_if(config.upstreams.begin(), config.upstreams.end(),
                                  [&](const config::Upstream& each) { return each.name == name; });
  return found == config.upstreams.end() ? nullptr : &*found;
}

/// The endpoints of an upstream: those of the config, and those that were found.
template <class Use>
void for_each_endpoint(const config::Upstream& upstream, const Discovery& discovery, Use use) {
  for (const config::Endpoint& endpoint : upstream.endpoints) {
    use(endpoint);
  }
  for (const config::Endpoint& endpoint : discovery.instances(upstream)) {
    use(endpoint);
  }
}

bool has_name(const config::Upstream& upstream, const Discovery& discovery, std::string_view name) {
  bool found = false;
  for_each_endpoint(upstream, discovery, [&](const config::Endpoint& each) {
    found = found || (each.host == name && needs_resolving(each));
  });
  return found;
}

/// What was found may be what the config names, too.
void drop_repetitions(std::vector<server::ResolvedEndpoint>& endpoints) {
  std::set<std::string> seen;
  std::erase_if(endpoints, [&](const server::ResolvedEndpoint& each) {
    return !seen.insert(each.address).second;
  });
}

std::string without_brackets(const std::string& host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

struct EndpointRefresher::Entry {
  Entry(asio::io_context& context, const config::Upstream& upstream, std::string host)
      : upstream_name(upstream.name),
        name(std::move(host)),
        bounds(upstream),
        servers(upstream.dns_servers),
        timer(context) {}

  uint64_t id = 0;
  std::string upstream_name;
  std::string name;
  TtlBounds bounds;
  std::vector<std::string> servers;
  asio::steady_timer timer;
  std::vector<std::string> addresses;
  std::string error;
  uint64_t answers = 0;
  uint32_t failures = 0;  // in a row
  bool querying = false;
};

struct EndpointRefresher::Waiter {
  explicit Waiter(asio::io_context& context)
      : timer(context) {}

  uint64_t id = 0;
  std::shared_ptr<const config::Config> config;
  asio::steady_timer timer;
  std::function<void()> done;
};

EndpointRefresher::EndpointRefresher(asio::io_context& context, ResolverFactory make_resolver,
                                     Sink sink, Loader* loader)
    : context_(context),
      sink_(std::move(sink)),
      resolvers_(std::make_unique<Resolvers>(std::move(make_resolver))),
      discovery_(std::make_unique<Discovery>(
          context, *resolvers_,
          Discovery::Hooks{
              .on_news = [this](const std::string& upstream) { on_instances(upstream); },
              .loader = loader})),
      random_(std::random_device{}()) {}

EndpointRefresher::~EndpointRefresher() = default;

void EndpointRefresher::prepare(std::shared_ptr<const config::Config> config, Duration at_most,
                                std::function<void()> done) {
  resolvers_->reload_system_config();
  auto waiter = std::make_unique<Waiter>(context_);
  waiter->id = next_id_++;
  waiter->config = config;
  waiter->done = std::move(done);
  waiter->timer.expires_after(at_most);
  waiter->timer.async_wait([this, id = waiter->id](error_code error) {
    if (!error) {
      finish_waiter(id);
    }
  });
  waiters_.push_back(std::move(waiter));
  holds_waiters_ = true;  // their receivers change what is looked for
  discovery_->prepare(*config);
  add_missing(*config);
  holds_waiters_ = false;
  finish_waiters();
}

void EndpointRefresher::apply(std::shared_ptr<const config::Config> config) {
  config_ = std::move(config);
  discovery_->apply(*config_);
  forget([this](const Entry& entry) { return !is_wanted(entry); });
  std::erase_if(published_, [this](const Published& each) {
    return find_upstream(*config_, each.name) == nullptr;
  });
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (const config::Upstream* upstream = find_upstream(*config_, entry->upstream_name)) {
      entry->bounds = TtlBounds(*upstream);
      entry->servers = upstream->dns_servers;
    }
  }
  add_missing(*config_);
  for (const config::Upstream& upstream : config_->upstreams) {
    publish(upstream, /*always=*/true);
  }
}

std::vector<NameStatus> EndpointRefresher::status() const {
  std::vector<NameStatus> all;
  for (const std::unique_ptr<Entry>& entry : entries_) {
    all.push_back(NameStatus{entry->upstream_name, entry->name, entry->addresses, entry->error,
                             entry->answers});
  }
  return all;
}

std::vector<DiscoveryStatus> EndpointRefresher::discoveries() const {
  return discovery_->status();
}

/// Whether the config in force, or one that is being prepared, has the name.
bool EndpointRefresher::is_wanted(const Entry& entry) const {
  const auto wants = [&](const config::Config& config) {
    const config::Upstream* upstream = find_upstream(config, entry.upstream_name);
    return upstream != nullptr && has_name(*upstream, *discovery_, entry.name);
  };
  return (config_ != nullptr && wants(*config_)) ||
         std::any_of(waiters_.begin(), waiters_.end(),
                     [&](const auto& waiter) { return wants(*waiter->config); });
}

void EndpointRefresher::forget(const std::function<bool(const Entry&)>& unwanted) {
  std::erase_if(by_name_, [&](const auto& each) { return unwanted(*each.second); });
  std::erase_if(entries_, [&](const auto& entry) { return unwanted(*entry); });
}

EndpointRefresher::Entry* EndpointRefresher::find(uint64_t id) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [id](const auto& each) { return each->id == id; });
  return found == entries_.end() ? nullptr : found->get();
}

EndpointRefresher::Entry* EndpointRefresher::find(std::string_view upstream,
                                                  std::string_view name) {
  const auto found = by_name_.find({upstream, name});
  return found == by_name_.end() ? nullptr : found->second;
}

/// `of`: of this upstream alone.
void EndpointRefresher::add_missing(const config::Config& config, std::string_view of) {
  std::vector<uint64_t> added;
  for (const config::Upstream& upstream : config.upstreams) {
    if (!of.empty() && upstream.name != of) {
      continue;
    }
    for_each_endpoint(upstream, *discovery_, [&](const config::Endpoint& endpoint) {
      if (needs_resolving(endpoint) && find(upstream.name, endpoint.host) == nullptr) {
        entries_.push_back(std::make_unique<Entry>(context_, upstream, endpoint.host));
        entries_.back()->id = next_id_++;
        by_name_[{entries_.back()->upstream_name, entries_.back()->name}] = entries_.back().get();
        added.push_back(entries_.back()->id);
      }
    });
  }
  // An answer may come inside query(), and its receiver may change the table.
  for (const uint64_t id : added) {
    if (Entry* const entry = find(id)) {
      query(*entry);
    }
  }
}

void EndpointRefresher::on_instances(const std::string& upstream) {
  forget([&](const Entry& entry) { return entry.upstream_name == upstream && !is_wanted(entry); });
  std::vector<std::shared_ptr<const config::Config>> wanting;
  for (const std::unique_ptr<Waiter>& waiter : waiters_) {
    wanting.push_back(waiter->config);
  }
  const bool held = std::exchange(holds_waiters_, true);
  for (const auto& config : wanting) {
    add_missing(*config, upstream);
  }
  if (const auto config = config_) {
    add_missing(*config, upstream);
    if (const config::Upstream* const found = find_upstream(*config, upstream)) {
      publish(*found, /*always=*/false);
    }
  }
  holds_waiters_ = held;
  finish_waiters();
}

void EndpointRefresher::query(Entry& entry) {
  if (entry.querying) {
    return;
  }
  entry.querying = true;
  resolvers_->of(entry.servers).resolve(entry.name, [this, id = entry.id](DnsAnswer answer) {
    on_answer(id, std::move(answer));
  });
}

void EndpointRefresher::on_answer(uint64_t entry_id, DnsAnswer answer) {
  Entry* const found = find(entry_id);
  if (found == nullptr) {
    return;  // a reload has removed it
  }
  Entry& entry = *found;
  entry.querying = false;
  ++entry.answers;
  if (answer.addresses.empty()) {
    if (entry.failures++ == 0) {
      log::warning("dns_failed upstream={} name={} error=\"{}\" kept_addresses={}",
                   entry.upstream_name, entry.name, answer.error, entry.addresses.size());
    }
    entry.error = std::move(answer.error);
    schedule(entry, entry.bounds.after_failure(entry.failures, random_));
  } else {
    if (entry.failures > 0) {
      log::info("dns_recovered upstream={} name={}", entry.upstream_name, entry.name);
    }
    entry.failures = 0;
    entry.error.clear();
    entry.addresses = std::move(answer.addresses);
    schedule(entry, entry.bounds.after_answer(answer.ttl, random_));
  }
  const config::Upstream* upstream =
      config_ == nullptr ? nullptr : find_upstream(*config_, entry.upstream_name);
  if (upstream != nullptr) {
    publish(*upstream, /*always=*/false);
  }
  finish_waiters();
}

void EndpointRefresher::schedule(Entry& entry, Duration wait) {
  entry.timer.expires_after(wait);
  entry.timer.async_wait([this, id = entry.id](error_code error) {
    Entry* const found = error ? nullptr : find(id);
    if (found != nullptr) {
      query(*found);
    }
  });
}

void EndpointRefresher::publish(const config::Upstream& upstream, bool always) {
  std::vector<server::ResolvedEndpoint> endpoints;
  bool any_name = false;
  bool asking = false;
  for_each_endpoint(upstream, *discovery_, [&](const config::Endpoint& endpoint) {
    if (!needs_resolving(endpoint)) {
      endpoints.push_back(numeric_endpoint(endpoint));
      return;
    }
    any_name = true;
    const Entry* entry = find(upstream.name, endpoint.host);
    asking = asking || entry == nullptr || entry->answers == 0;
    for (const std::string& address :
         entry == nullptr ? std::vector<std::string>{} : entry->addresses) {
      const std::string host =
          endpoint.port == 80 ? endpoint.host : join_host_port(endpoint.host, endpoint.port);
      endpoints.push_back(
          {join_host_port(address, endpoint.port), host, endpoint.weight, endpoint.priority});
    }
  });
  if (upstream.discovery.enabled()) {
    drop_repetitions(endpoints);
  } else if (!any_name) {
    return;  // the gateway has them from the config
  }
  const auto last = std::find_if(published_.begin(), published_.end(),
                                 [&](const auto& each) { return each.name == upstream.name; });
  const bool known = last != published_.end();
  // Numeric neighbours of a name that has no answer yet serve without it, unless others serve
  // already.
  if (endpoints.empty() || (known && asking)) {
    return;
  }
  if (known && last->endpoints == endpoints && !always) {
    return;
  }
  if (!known) {
    published_.push_back({upstream.name, endpoints});
  } else {
    last->endpoints = endpoints;
  }
  log::debug("endpoints_resolved upstream={} count={}", upstream.name, endpoints.size());
  sink_(upstream.name, std::move(endpoints));
}

void EndpointRefresher::finish_waiters() {
  const bool pending = holds_waiters_ || discovery_->pending() ||
                       std::any_of(entries_.begin(), entries_.end(),
                                   [](const auto& entry) { return entry->answers == 0; });
  while (!pending && !waiters_.empty()) {
    finish_waiter(waiters_.front()->id);
  }
}

void EndpointRefresher::finish_waiter(uint64_t id) {
  const auto found = std::find_if(waiters_.begin(), waiters_.end(),
                                  [id](const auto& each) { return each->id == id; });
  if (found == waiters_.end()) {
    return;
  }
  const std::unique_ptr<Waiter> waiter = std::move(*found);
  waiters_.erase(found);
  waiter->done();
}

bool needs_resolving(const config::Endpoint& endpoint) {
  if (!endpoint.unix_path.empty() || endpoint.host.empty()) {
    return false;
  }
  const std::string host = without_brackets(endpoint.host);
  in6_addr ignored{};
  return ::inet_pton(AF_INET, host.c_str(), &ignored) != 1 &&
         ::inet_pton(AF_INET6, host.c_str(), &ignored) != 1;
}

std::string join_host_port(std::string_view host, uint16_t port) {
  const bool bare_v6 = host.find(':') != std::string_view::npos && host.front() != '[';
  return fmt::format("{}{}{}:{}", bare_v6 ? "[" : "", host, bare_v6 ? "]" : "", port);
}

server::ResolvedEndpoint numeric_endpoint(const config::Endpoint& endpoint) {
  if (!endpoint.unix_path.empty()) {
    return {"unix:" + endpoint.unix_path, "localhost", endpoint.weight, endpoint.priority};
  }
  std::string text = join_host_port(endpoint.host, endpoint.port);
  return {text, text, endpoint.weight, endpoint.priority};
}

}  // namespace hangu::control
