// ForwardAuthFilter: asks an authorization service before a request goes on, and lets the request
// wait for the answer. What the service says of an allowed request goes to the upstream; what it
// says of a refused one goes to the client. ForwardAuthMemory: decisions that hold for a while, per
// shard; lives on over config generations.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/body_collector.h"
#include "hangu/filter/callout.h"
#include "hangu/filter/consumer_table.h"
#include "hangu/filter/filter.h"
#include "hangu/filter/request_key.h"
#include "hangu/http/header_name.h"
#include "hangu/http/local_reply.h"
#include "hangu/identity/digest_cache.h"
#include "hangu/policy/forward_auth.h"
#include "hangu/stats/policy_stats.h"

namespace hangu::filter {

/// What of an answer matters. The views are of who made it.
struct AuthAnswer {
  policy::AuthVerdict verdict = policy::AuthVerdict::kError;
  int status = 0;
  std::span<const http::ReplyField> fields;  // for the upstream, or for the client
  std::string_view consumer;
  std::string_view groups;
  std::string_view content_type;
  std::string_view body;
};

/// The same, on its own.
struct KeptAuthAnswer {
  policy::AuthVerdict verdict = policy::AuthVerdict::kError;
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string consumer;
  std::string groups;
  std::string content_type;
  std::string body;
};

class ForwardAuthMemory {
 public:
  using Cache = identity::DigestCache<KeptAuthAnswer>;

  ForwardAuthMemory(uint32_t shards, uint32_t entries);

  /// One shard's; that shard alone touches it.
  Cache& shard(uint32_t number) { return shards_[number].cache; }

 private:
  struct alignas(64) ShardSide {
    explicit ShardSide(uint32_t entries)
        : cache(entries) {}

    Cache cache;
  };

  std::vector<ShardSide> shards_;
};

/// What a filter is made of beside its config.
struct ForwardAuthParts {
  uint32_t cluster = 0;  // of the service
  std::shared_ptr<ForwardAuthMemory> memory;
  std::shared_ptr<const ConsumerTable> consumers;
  std::shared_ptr<stats::ForwardAuthStats> stats;
  std::string_view secret;  // of the process, which outlives the filter
};

struct ForwardAuthRound;  // a request that waits

class ForwardAuthFilter final : public Filter, private BodyCollector {
 public:
  static constexpr uint64_t kAnswerBytesMax = 64 * 1024;
  static constexpr size_t kKeptBytesMax = 8 * 1024;  // of one answer
  static constexpr size_t kFieldsMax = 32;           // of an answer that go on

  ForwardAuthFilter(const config::ForwardAuth& config, ForwardAuthParts parts);

  std::string_view name() const override { return "forward_auth"; }

  uint8_t hooks() const override {
    const bool asks = config_.mode != config::Mode::kOff;
    return static_cast<uint8_t>(asks ? kRequestHeaders | kStreamEnd : kRequestHeaders);
  }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  void on_stream_end(Stream& stream) const noexcept override;

  void on_answer(ForwardAuthRound& round, const CalloutAnswer& answer) const noexcept;

 private:
  // BodyCollector
  void on_body_collected(Stream& stream) const noexcept override;
  void on_body_too_large(Stream& stream) const noexcept override;

  struct FieldName {
    http::HeaderName token;
    std::string name;  // lower case
  };

  using FieldNames = std::vector<FieldName>;

  static FieldNames names_of(const std::vector<std::string>& names);
  static bool holds(const FieldNames& names, const http::Header& field) noexcept;

  stats::ForwardAuthSlot& slot(Stream& stream) const noexcept;
  bool digest_of(const Stream& stream, identity::Digest& out) const noexcept;
  bool decide_at_once(Stream& stream, const identity::Digest* key) const noexcept;
  bool waits_for_body(Stream& stream) const noexcept;
  bool pass_too_large(Stream& stream) const noexcept;
  void ask(Stream& stream, const identity::Digest* key) const noexcept;
  void show_body(Callout& question, Stream& stream) const noexcept;
  void fill_in(Callout& question, Stream& stream) const noexcept;
  std::string_view target_for(const Stream& stream, buffer::Arena& arena) const noexcept;
  void strip(Stream& stream) const noexcept;

  AuthAnswer read(const CalloutAnswer& answer, policy::AuthVerdict verdict,
                  std::span<http::ReplyField> space) const noexcept;
  void keep(Stream& stream, const identity::Digest& key, const AuthAnswer& answer,
            Duration ttl) const noexcept;
  void settle(Stream& stream, const AuthAnswer& answer) const noexcept;
  void identify(Stream& stream, const AuthAnswer& answer) const noexcept;
  void refuse(Stream& stream, const AuthAnswer& answer) const noexcept;
  void fail(Stream& stream, std::string_view reason) const noexcept;

  config::ForwardAuth config_;
  ForwardAuthParts parts_;
  CalloutTarget target_;
  RequestKey key_;
  bool appends_;          // the path of the request to `path_prefix`
  FieldNames asked_;      // fields of the request that the service gets
  FieldNames told_;       // of its answer, for the upstream
  FieldNames passed_on_;  // of its answer, for the client
};

}  // namespace hangu::filter
