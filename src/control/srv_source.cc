#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "control/instance_source.h"
#include "control/resolvers.h"
#include "control/srv_endpoints.h"
#include "control/ttl_bounds.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

class SrvQuestion final : public std::enable_shared_from_this<SrvQuestion> {
 public:
  SrvQuestion(asio::io_context& context, Resolvers& resolvers, const config::Upstream& upstream,
              InstanceSource::Sink sink)
      : resolvers_(resolvers),
        name_(upstream.discovery.srv),
        sink_(std::move(sink)),
        timer_(context),
        random_(std::random_device{}()),
        bounds_(upstream),
        servers_(upstream.dns_servers) {}

  void follow(const config::Upstream& upstream) {
    bounds_ = TtlBounds(upstream);
    servers_ = upstream.dns_servers;
  }

  void stop() {
    stopped_ = true;
    timer_.cancel();
  }

  void ask() {
    resolvers_.of(servers_).resolve_srv(name_, [weak = weak_from_this()](SrvAnswer answer) {
      if (const auto self = weak.lock(); self != nullptr && !self->stopped_) {
        self->take(answer);
      }
    });
  }

 private:
  void take(const SrvAnswer& answer) {
    const bool good = answer.error.empty() && !answer.records.empty();
    failures_ = good ? 0 : failures_ + 1;
    timer_.expires_after(good ? bounds_.after_answer(answer.ttl, random_)
                              : bounds_.after_failure(failures_, random_));
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      if (const auto self = weak.lock(); !error && self != nullptr && !self->stopped_) {
        self->ask();
      }
    });
    FoundInstances found;
    found.error = answer.error;
    for (config::Endpoint& each : srv_endpoints(answer.records)) {
      found.instances.push_back({std::move(each), {}});
    }
    sink_(std::move(found));
  }

  Resolvers& resolvers_;
  const std::string name_;
  InstanceSource::Sink sink_;
  asio::steady_timer timer_;
  std::minstd_rand random_;
  TtlBounds bounds_;
  std::vector<std::string> servers_;
  uint32_t failures_ = 0;  // in a row
  bool stopped_ = false;
};

class SrvSource final : public InstanceSource {
 public:
  explicit SrvSource(std::shared_ptr<SrvQuestion> question)
      : question_(std::move(question)) {}

  ~SrvSource() override { question_->stop(); }

  void start() override { question_->ask(); }

  void follow(const config::Upstream& upstream) override { question_->follow(upstream); }

 private:
  std::shared_ptr<SrvQuestion> question_;
};

}  // namespace

std::vector<config::Endpoint> srv_endpoints(const std::vector<SrvRecord>& records) {
  std::set<uint16_t> priorities;
  uint32_t heaviest = 0;
  for (const SrvRecord& each : records) {
    priorities.insert(each.priority);
    heaviest = std::max<uint32_t>(heaviest, each.weight);
  }
  std::vector<config::Endpoint> endpoints;
  for (const SrvRecord& each : records) {
    const auto rank = std::distance(priorities.begin(), priorities.find(each.priority));
    const uint32_t weight = heaviest <= config::kEndpointWeightMax
                                ? each.weight
                                : each.weight * config::kEndpointWeightMax / heaviest;
    config::Endpoint endpoint;
    endpoint.host = each.target;
    endpoint.port = each.port;
    endpoint.weight = std::max(weight, 1U);
    endpoint.priority = std::min(static_cast<uint32_t>(rank), config::kPriorityMax);
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

std::unique_ptr<InstanceSource> make_srv_source(asio::io_context& context, Resolvers& resolvers,
                                                const config::Upstream& upstream,
                                                InstanceSource::Sink sink) {
  return std::make_unique<SrvSource>(
      std::make_shared<SrvQuestion>(context, resolvers, upstream, std::move(sink)));
}

}  // namespace hangu::control
