#include "hangu/filter/body_digest_filter.h"

#include <array>
#include <memory>
#include <utility>

#include "hangu/filter/stream.h"
#include "hangu/filter/wanted_digest.h"
#include "hangu/http/local_reply.h"

namespace hangu::filter {

/// The digest of a body that comes in. In the stream's arena until the stream is over.
class BodyHash {
 public:
  explicit BodyHash(identity::BodyDigestKind kind)
      : hasher(kind) {}

  identity::BodyHasher hasher;
};

FilterStatus BodyDigestFilter::on_request_headers(Stream& stream) const noexcept {
  const WantedDigest* const wanted = stream.kept.wanted_digest;
  if (wanted == nullptr) {
    return FilterStatus::kContinue;
  }
  char* const place = stream.arena().allocate(sizeof(BodyHash), alignof(BodyHash));
  stream.kept.body_hash =
      std::construct_at(reinterpret_cast<BodyHash*>(place), wanted->digest.kind);
  if (!stream.has_body() || stream.body_collected()) {
    stream.kept.body_hash->hasher.add(stream.collected_body());
    static_cast<void>(accept(stream, stream.kept.body_hash->hasher.matches(wanted->digest)));
    return FilterStatus::kContinue;
  }
  if (!stream.collect_request_body(*this, wanted->body_bytes_max)) {
    static_cast<void>(pass_too_large(stream));
    return FilterStatus::kContinue;
  }
  return FilterStatus::kPause;
}

void BodyDigestFilter::on_body_piece(Stream& stream, std::string_view piece) const noexcept {
  stream.kept.body_hash->hasher.add(piece);
}

void BodyDigestFilter::on_body_collected(Stream& stream) const noexcept {
  const WantedDigest& wanted = *stream.kept.wanted_digest;
  if (accept(stream, stream.kept.body_hash->hasher.matches(wanted.digest))) {
    stream.resume_request();
  }
}

void BodyDigestFilter::on_body_too_large(Stream& stream) const noexcept {
  if (pass_too_large(stream)) {
    stream.resume_request();
  }
}

/// False: it has been refused.
bool BodyDigestFilter::accept(Stream& stream, bool right) const noexcept {
  if (right) {
    return true;
  }
  stream.info.auth_reason = "digest";
  for (const auto& one : authenticators_) {
    if (one->authenticator.get() == stream.kept.wanted_digest->by) {
      stream.info.rule = one->name;
      count_refusal(*one->stats, stream.shard().shard(), "digest");
    }
  }
  if (mode_ == config::Mode::kShadow) {
    stream.note_shadow(name());
    return true;
  }
  static constexpr std::array<http::ReplyField, 1> kChallenge = {
      {{.name = "www-authenticate", .value = "Signature realm=\"hangu\", error=\"digest\""}}};
  stream.send_local_reply({.status = 401,
                           .code = "auth.digest",
                           .detail = "the body is not the one that was signed",
                           .fields = kChallenge},
                          name());
  return false;
}

bool BodyDigestFilter::pass_too_large(Stream& stream) const noexcept {
  if (mode_ == config::Mode::kShadow) {
    stream.note_shadow(name());
    return true;
  }
  stream.on_request_error(stream.collection_error());
  return false;
}

void BodyDigestFilter::on_stream_end(Stream& stream) const noexcept {
  if (BodyHash* const hash = std::exchange(stream.kept.body_hash, nullptr)) {
    std::destroy_at(hash);
  }
}

}  // namespace hangu::filter
