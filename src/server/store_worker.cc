#include "server/store_worker.h"

#include <netdb.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hangu/base/hex.h"
#include "hangu/base/log.h"
#include "hangu/base/parse.h"
#include "hangu/net/address.h"

#include "server/random.h"
#include "server/store_scripts.h"

namespace hangu::server {
namespace {

using filter::RateStore;

constexpr Duration kBackoffMin = std::chrono::milliseconds(50);
constexpr Duration kBackoffMax = std::chrono::seconds(2);
// The watch: how often; how long a server may be silent; how long it is not asked at all.
constexpr Duration kWatchInterval = std::chrono::milliseconds(50);
constexpr Duration kSilenceMin = std::chrono::milliseconds(200);
constexpr int kSilenceTimeouts = 10;
constexpr Duration kPingInterval = std::chrono::seconds(1);
// Commands without a reply. Beyond that the server is not keeping up.
constexpr size_t kSentMax = 262'144;
constexpr size_t kKeysOfCharge = 128;
constexpr uint32_t kBlockBytes = 64 * 1024;

double microseconds(int64_t ns) {
  return static_cast<double>(ns) / 1000;
}

std::string place_text(std::string_view host, uint16_t port, bool ipv6) {
  return ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

/// Blocks, on a thread that has nothing else to do as long as there is no connection.
Result<net::Address, std::string> resolve(const config::StoreUrl& url) {
  const bool ipv6 = url.host.find(':') != std::string::npos;
  if (auto address = net::Address::parse(place_text(url.host, url.port, ipv6))) {
    return *address;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
  if (error != 0) {
    return Failure<std::string>{fmt::format("{}: {}", url.host, ::gai_strerror(error))};
  }
  std::array<char, NI_MAXHOST> numeric{};
  ::getnameinfo(found->ai_addr, found->ai_addrlen, numeric.data(), numeric.size(), nullptr, 0,
                NI_NUMERICHOST);
  const bool is_ipv6 = found->ai_family == AF_INET6;
  ::freeaddrinfo(found);
  const auto address = net::Address::parse(place_text(numeric.data(), url.port, is_ipv6));
  return address ? Result<net::Address, std::string>(*address)
                 : Failure<std::string>{fmt::format("{}: no address of use", url.host)};
}

}  // namespace

StoreWorker::StoreWorker(const config::Store& config, std::shared_ptr<const tls::ClientContext> tls,
                         StoreWorkerOwner& owner, stats::StoreStats& stats)
    : config_(config),
      owner_(owner),
      stats_(stats),
      receive_blocks_({.block_bytes = kBlockBytes, .blocks_max = 64}),
      small_blocks_({.block_bytes = 2048, .blocks_max = 1 << 16}),
      loop_(std::move(*event::Loop::create({.backend = event::BackendKind::kEpoll,
                                            .receive_blocks = receive_blocks_,
                                            .small_blocks = &small_blocks_}))),
      client_(*loop_, small_blocks_, *this),
      reconnect_timer_(*this),
      watch_timer_(*this) {
  set_tls(std::move(tls));
}

void StoreWorker::run() {
  connect();
  watch();
  loop_->run();
  client_.close();
  loop_->run_until_idle();
}

void StoreWorker::set_limits(std::vector<std::shared_ptr<const filter::RateLimit>> limits) {
  limits_ = std::move(limits);
}

const filter::RateLimit* StoreWorker::limit_of(uint32_t number) const {
  return number < limits_.size() ? limits_[number].get() : nullptr;
}

// --- the connection ---------------------------------------------------------------------------

void StoreWorker::connect() {
  connecting_until_ = loop_->now() + config_.connect_timeout;
  open_ = true;
  const auto address = resolve(config_.url);
  if (!address) {
    fail(address.error());
    return;
  }
  client_.connect(*address, make_security());
}

void StoreWorker::set_tls(std::shared_ptr<const tls::ClientContext> tls) {
  if (tls != tls_) {
    tls_sessions_ = tls != nullptr ? tls->make_cache() : nullptr;
    tls_ = std::move(tls);
  }
}

std::unique_ptr<net::SecurityLayer> StoreWorker::make_security() {
  if (tls_ == nullptr) {
    return nullptr;
  }
  const std::string& named = config_.tls.server_name;
  return tls_->connect(named.empty() ? config_.url.host : named, tls_sessions_, small_blocks_,
                       receive_blocks_);
}

void StoreWorker::on_open() noexcept {
  stats_.connects.add();
  using Kind = Sent::Kind;
  if (!config_.password.text.empty()) {
    if (config_.username.empty()) {
      client_.command({"AUTH", config_.password.text});
    } else {
      client_.command({"AUTH", config_.username, config_.password.text});
    }
    sent({.kind = Kind::kGreeting});
  }
  if (config_.url.database != 0) {
    client_.command({"SELECT", std::to_string(config_.url.database)});
    sent({.kind = Kind::kGreeting});
  }
  client_.command({"SCRIPT", "LOAD", kTakeScript});
  sent({.kind = Kind::kTakeScript});
  client_.command({"SCRIPT", "LOAD", kChargeScript});
  sent({.kind = Kind::kChargeScript});
  const std::string seed_key = config_.prefix + ":seed";
  client_.command({"SETNX", seed_key, fmt::format("{:016x}", Random().next())});
  sent({.kind = Kind::kGreeting});
  client_.command({"GET", seed_key});
  sent({.kind = Kind::kSeed});
}

void StoreWorker::on_closed(std::string_view reason) noexcept {
  fail(reason);
}

/// Whoever asked hears that there is no answer; then it is tried again.
void StoreWorker::fail(std::string_view reason) {
  client_.close();
  open_ = false;
  ready_ = false;
  owner_.on_down(reason);
  for (const Sent& command : std::exchange(sent_, {})) {
    if (command.kind == Sent::Kind::kAsk || command.kind == Sent::Kind::kClaim) {
      answer(command.shard, {.id = command.id, .answer = {}});
    }
  }
  backoff_ = std::clamp(backoff_ * 2, kBackoffMin, kBackoffMax);
  const auto jitter =
      static_cast<int64_t>(Random().next() % static_cast<uint64_t>(backoff_.count() / 2));
  reconnect_timer_.arm(loop_->timers(), backoff_ + Duration(jitter));
}

/// A server that has stopped answering is no better than one that is gone.
void StoreWorker::watch() {
  watch_timer_.arm(loop_->timers(), kWatchInterval);
  const TimePoint now = loop_->now();
  if (!open_) {
    return;
  }
  if (!ready_) {
    if (now >= connecting_until_) {
      const bool shakes_hands = tls_ != nullptr && sent_.empty();
      fail(shakes_hands ? "it does not answer; does it speak TLS there?" : "it does not answer");
    }
    return;
  }
  const Duration silence = std::max(kSilenceMin, config_.timeout * kSilenceTimeouts);
  if (!sent_.empty() && now - sent_.front().at > silence) {
    fail("it does not answer");
  } else if (sent_.empty() && now >= connecting_until_) {
    connecting_until_ = now + kPingInterval;  // from here on: the next time to ask at all
    client_.command({"PING"});
    sent({.kind = Sent::Kind::kPing});
  }
}

void StoreWorker::sent(Sent command) {
  command.at = loop_->now();
  sent_.push_back(std::move(command));
  loop_->schedule_flush(*this);
}

void StoreWorker::flush() noexcept {
  client_.send();
  for (size_t shard = 0; shard < answers_.size(); ++shard) {
    if (!answers_[shard].empty()) {
      owner_.on_answers(static_cast<uint32_t>(shard), std::exchange(answers_[shard], {}));
    }
  }
}

// --- what is asked ----------------------------------------------------------------------------

std::string StoreWorker::key_of(uint32_t limit, uint64_t key) const {
  return fmt::format("{}:{}:{:016x}", config_.prefix, limits_[limit]->config().name, key);
}

void StoreWorker::take(StoreBatch batch) {
  stats_.late.add(batch.late);
  stats_.lost.add(batch.lost);
  size_t first = 0;
  for (const StoreBatch::Question& question : batch.questions) {
    ask(batch, question, std::span(batch.items).subspan(first, question.items));
    first += question.items;
  }
  for (const StoreBatch::Claim& one : batch.claims) {
    claim(batch.shard, one);
  }
  while (!batch.costs.empty()) {
    const size_t count = std::min(batch.costs.size(), kKeysOfCharge);
    charge({batch.costs.end() - static_cast<ptrdiff_t>(count), batch.costs.end()});
    batch.costs.resize(batch.costs.size() - count);
  }
}

void StoreWorker::ask(const StoreBatch& batch, const StoreBatch::Question& question,
                      std::span<const RateStore::Item> items) {
  const bool known = std::all_of(items.begin(), items.end(), [this](const RateStore::Item& item) {
    return limit_of(item.limit) != nullptr;
  });
  stats_.asked.add();
  if (!ready_ || !known || sent_.size() >= kSentMax) {
    answer(batch.shard, {.id = question.id, .answer = {}});
    return;
  }
  client_.begin_command(3 + items.size() * 5);
  client_.add_word("EVALSHA");
  client_.add_word(take_sha_);
  client_.add_word(std::to_string(items.size()));
  for (const RateStore::Item& item : items) {
    client_.add_word(key_of(item.limit, item.key));
  }
  for (const RateStore::Item& item : items) {
    const policy::Gcra& rate = limits_[item.limit]->rate();
    client_.add_word(fmt::format("{:.3f}", microseconds(rate.tolerance_ns())));
    client_.add_word(fmt::format("{:.3f}", microseconds(rate.time_of(item.cost))));
    client_.add_word(item.takes ? "1" : "0");
    client_.add_word(item.binding ? "1" : "0");
  }
  sent({.kind = Sent::Kind::kAsk, .shard = batch.shard, .id = question.id});
}

void StoreWorker::claim(uint32_t shard, const StoreBatch::Claim& claim) {
  stats_.asked.add();
  if (!ready_ || sent_.size() >= kSentMax) {
    answer(shard, {.id = claim.id, .answer = {}});
    return;
  }
  const std::string key = fmt::format("{}:once:{}", config_.prefix, to_hex(claim.key));
  client_.command({"SET", key, "1", "NX", "EX", std::to_string(claim.length.count())});
  sent({.kind = Sent::Kind::kClaim, .shard = shard, .id = claim.id});
}

void StoreWorker::charge(std::vector<policy::KeyCosts::Entry> costs) {
  std::erase_if(costs, [this](const auto& cost) { return limit_of(cost.limit) == nullptr; });
  if (!ready_ || costs.empty() || sent_.size() >= kSentMax) {
    stats_.lost.add(costs.size());
    return;
  }
  client_.begin_command(3 + costs.size() * 2);
  client_.add_word("EVALSHA");
  client_.add_word(charge_sha_);
  client_.add_word(std::to_string(costs.size()));
  for (const policy::KeyCosts::Entry& cost : costs) {
    client_.add_word(key_of(cost.limit, cost.key));
  }
  for (const policy::KeyCosts::Entry& cost : costs) {
    const int64_t time_ns = limits_[cost.limit]->rate().time_of(cost.cost);
    client_.add_word(fmt::format("{:.3f}", microseconds(time_ns)));
  }
  stats_.charged.add(costs.size());
  sent({.kind = Sent::Kind::kCharge, .costs = std::move(costs)});
}

// --- what is answered -------------------------------------------------------------------------

void StoreWorker::on_reply(const redis::Reply& reply) noexcept {
  if (sent_.empty()) {
    fail("a reply to nothing");
    return;
  }
  if (reply.is_error()) {
    // Of a server that is loading, read-only, or has lost our scripts: none of its answers is good.
    stats_.errors.add();
    fail(reply.text());
    return;
  }
  const Sent command = std::move(sent_.front());
  sent_.pop_front();
  handle(command, reply);
}

void StoreWorker::handle(const Sent& command, const redis::Reply& reply) {
  switch (command.kind) {
    case Sent::Kind::kGreeting:
    case Sent::Kind::kPing: return;
    case Sent::Kind::kTakeScript: take_sha_ = reply.text(); return;
    case Sent::Kind::kChargeScript: charge_sha_ = reply.text(); return;
    case Sent::Kind::kAsk: hear_answer(command, reply); return;
    case Sent::Kind::kClaim: hear_claim(command, reply); return;
    case Sent::Kind::kCharge: hear_charge(command, reply); return;
    case Sent::Kind::kSeed: break;
  }
  const auto seed = parse_hex(reply.text());
  if (!seed) {
    fail("its seed is no number");
    return;
  }
  ready_ = true;
  backoff_ = {};
  owner_.on_up(*seed);
}

void StoreWorker::hear_answer(const Sent& command, const redis::Reply& reply) {
  StoreAnswer heard{.id = command.id, .answer = {}};
  RateStore::Answer& answer = heard.answer;
  if (reply.size() >= 3 && reply.size() <= 2 + answer.full_in_ns.size()) {
    answer.known = true;
    answer.allowed = reply.at(0).integer() == 1;
    answer.refused = static_cast<uint32_t>(reply.at(1).integer());
    for (size_t i = 2; i < reply.size(); ++i) {
      answer.full_in_ns[i - 2] = reply.at(i).integer();
    }
  }
  this->answer(command.shard, heard);
}

void StoreWorker::hear_claim(const Sent& command, const redis::Reply& reply) {
  using Answer = filter::ClaimStore::Answer;
  const Answer heard = reply.is_text()  ? Answer::kFirst
                       : reply.is_nil() ? Answer::kTaken
                                        : Answer::kUnknown;
  answer(command.shard, {.id = command.id, .answer = {}, .claim = heard});
}

/// What other nodes have taken: from now on this one counts from there.
void StoreWorker::hear_charge(const Sent& command, const redis::Reply& reply) {
  const int64_t now_ns = loop_->now().time_since_epoch().count();
  for (size_t i = 0; i < std::min(reply.size(), command.costs.size()); ++i) {
    const policy::KeyCosts::Entry& cost = command.costs[i];
    if (const filter::RateLimit* const limit = limit_of(cost.limit)) {
      limit->table().raise(cost.key, now_ns + reply.at(i).integer(), now_ns);
    }
  }
}

void StoreWorker::answer(uint32_t shard, const StoreAnswer& answer) {
  if (shard >= answers_.size()) {
    answers_.resize(shard + 1);
  }
  answers_[shard].push_back(answer);
  loop_->schedule_flush(*this);
}

}  // namespace hangu::server
