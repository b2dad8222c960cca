#include "hangu/control/endpoint_refresher.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hangu/base/log.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr Duration kRetryMax = std::chrono::seconds(30);

const config::Upstream* find_upstream(const config::Config& config, std::string_view name) {
  const auto found = std::find_if(config.upstreams.begin(), config.upstreams.end(),
                                  [&](const config::Upstream& each) { return each.name == name; });
  return found == config.upstreams.end() ? nullptr : &*found;
}

bool has_name(const config::Upstream& upstream, std::string_view name) {
  return std::any_of(
      upstream.endpoints.begin(), upstream.endpoints.end(),
      [&](const config::Endpoint& each) { return each.host == name && needs_resolving(each); });
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
        ttl_min(upstream.dns_ttl_min),
        ttl_max(std::max(upstream.dns_ttl_min, upstream.dns_ttl_max)),
        timer(context) {}

  uint64_t id = 0;
  std::string upstream_name;
  std::string name;
  Duration ttl_min;
  Duration ttl_max;
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
  asio::steady_timer timer;
  std::function<void()> done;
};

EndpointRefresher::EndpointRefresher(asio::io_context& context, ResolverFactory make_resolver,
                                     Sink sink)
    : context_(context),
      make_resolver_(std::move(make_resolver)),
      sink_(std::move(sink)),
      random_(std::random_device{}()) {}

EndpointRefresher::~EndpointRefresher() = default;

void EndpointRefresher::prepare(const config::Config& config, Duration at_most,
                                std::function<void()> done) {
  if (resolver_ != nullptr) {
    resolver_->reload_system_config();
  }
  auto waiter = std::make_unique<Waiter>(context_);
  waiter->id = next_id_++;
  waiter->done = std::move(done);
  waiter->timer.expires_after(at_most);
  waiter->timer.async_wait([this, id = waiter->id](error_code error) {
    if (!error) {
      finish_waiter(id);
    }
  });
  add_missing(config);
  waiters_.push_back(std::move(waiter));
  finish_waiters();
}

void EndpointRefresher::apply(std::shared_ptr<const config::Config> config) {
  config_ = std::move(config);
  std::erase_if(entries_, [this](const std::unique_ptr<Entry>& entry) {
    const config::Upstream* upstream = find_upstream(*config_, entry->upstream_name);
    return upstream == nullptr || !has_name(*upstream, entry->name);
  });
  std::erase_if(published_, [this](const Published& each) {
    return find_upstream(*config_, each.name) == nullptr;
  });
  for (const std::unique_ptr<Entry>& entry : entries_) {
    const config::Upstream* upstream = find_upstream(*config_, entry->upstream_name);
    entry->ttl_min = upstream->dns_ttl_min;
    entry->ttl_max = std::max(upstream->dns_ttl_min, upstream->dns_ttl_max);
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

EndpointRefresher::Entry* EndpointRefresher::find(std::string_view upstream,
                                                  std::string_view name) {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const std::unique_ptr<Entry>& entry) {
        return entry->upstream_name == upstream && entry->name == name;
      });
  return found == entries_.end() ? nullptr : found->get();
}

void EndpointRefresher::add_missing(const config::Config& config) {
  std::vector<uint64_t> added;
  for (const config::Upstream& upstream : config.upstreams) {
    for (const config::Endpoint& endpoint : upstream.endpoints) {
      if (!needs_resolving(endpoint) || find(upstream.name, endpoint.host) != nullptr) {
        continue;
      }
      entries_.push_back(std::make_unique<Entry>(context_, upstream, endpoint.host));
      entries_.back()->id = next_id_++;
      added.push_back(entries_.back()->id);
    }
  }
  // An answer may come inside query(), and its receiver may change the table.
  for (const uint64_t id : added) {
    const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                    [id](const auto& each) { return each->id == id; });
    if (entry != entries_.end()) {
      query(**entry);
    }
  }
}

void EndpointRefresher::query(Entry& entry) {
  if (entry.querying) {
    return;
  }
  if (resolver_ == nullptr) {
    resolver_ = make_resolver_();
  }
  entry.querying = true;
  resolver_->resolve(entry.name,
                     [this, id = entry.id](DnsAnswer answer) { on_answer(id, std::move(answer)); });
}

void EndpointRefresher::on_answer(uint64_t entry_id, DnsAnswer answer) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const auto& each) { return each->id == entry_id; });
  if (found == entries_.end()) {
    return;  // a reload has removed it
  }
  Entry& entry = **found;
  entry.querying = false;
  ++entry.answers;
  if (answer.addresses.empty()) {
    if (entry.failures++ == 0) {
      log::warning("dns_failed upstream={} name={} error=\"{}\" kept_addresses={}",
                   entry.upstream_name, entry.name, answer.error, entry.addresses.size());
    }
    entry.error = std::move(answer.error);
    const uint32_t doublings = std::min(entry.failures - 1, 10U);
    schedule(entry, std::min(entry.ttl_min * (1U << doublings), kRetryMax));
  } else {
    if (entry.failures > 0) {
      log::info("dns_recovered upstream={} name={}", entry.upstream_name, entry.name);
    }
    entry.failures = 0;
    entry.error.clear();
    entry.addresses = std::move(answer.addresses);
    schedule(entry, answer.ttl);
    const config::Upstream* upstream =
        config_ == nullptr ? nullptr : find_upstream(*config_, entry.upstream_name);
    if (upstream != nullptr) {
      publish(*upstream, /*always=*/false);
    }
  }
  finish_waiters();
}

// Up to a tenth early, so that many names (and many gateways) do not ask in step.
void EndpointRefresher::schedule(Entry& entry, Duration ttl) {
  const Duration held = std::clamp(ttl, entry.ttl_min, entry.ttl_max);
  std::uniform_int_distribution<Duration::rep> early(0, held.count() / 10);
  const Duration wait = std::max(held - Duration(early(random_)), entry.ttl_min);
  entry.timer.expires_after(wait);
  entry.timer.async_wait([this, id = entry.id](error_code error) {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [id](const auto& each) { return each->id == id; });
    if (!error && found != entries_.end()) {
      query(**found);
    }
  });
}

void EndpointRefresher::publish(const config::Upstream& upstream, bool always) {
  std::vector<server::ResolvedEndpoint> endpoints;
  bool any_name = false;
  for (const config::Endpoint& endpoint : upstream.endpoints) {
    if (!needs_resolving(endpoint)) {
      endpoints.push_back(numeric_endpoint(endpoint));
      continue;
    }
    any_name = true;
    const Entry* entry = find(upstream.name, endpoint.host);
    for (const std::string& address :
         entry == nullptr ? std::vector<std::string>{} : entry->addresses) {
      const std::string host =
          endpoint.port == 80 ? endpoint.host : join_host_port(endpoint.host, endpoint.port);
      endpoints.push_back(
          {join_host_port(address, endpoint.port), host, endpoint.weight, endpoint.priority});
    }
  }
  // Numeric neighbours of a name that has no answer yet serve without it.
  if (!any_name || endpoints.empty()) {
    return;
  }
  const auto last = std::find_if(published_.begin(), published_.end(),
                                 [&](const auto& each) { return each.name == upstream.name; });
  const bool known = last != published_.end();
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
  const bool pending = std::any_of(entries_.begin(), entries_.end(),
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
