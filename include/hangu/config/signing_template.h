// SigningTemplate: the text that clients of a house's own scheme sign:
// "{method}\n{path}\n{query}\n{timestamp}\n{nonce}\n{body_digest}". Parsed by the loader to check,
// and off the shards to compile. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"

namespace hangu::config {

enum class SignedPart : uint8_t {
  kText,
  kMethod,
  kPath,         // as it was sent, still encoded
  kQuery,        // the same, without `?`
  kSortedQuery,  // its parameters in the order of their bytes
  kHost,         // with the port that was sent, in lower case
  kHeader,
  kKeyId,
  kTimestamp,
  kNonce,
  kBodyDigest,  // as it was sent, in its field
};

struct SigningTemplate {
  struct Piece {
    SignedPart part = SignedPart::kText;
    std::string text;  // or the name of a field, in lower case
  };

  /// The error is in words. Two parts need a text between them: else two requests could be signed
  /// alike.
  static Result<SigningTemplate, std::string> parse(std::string_view text);

  bool has(SignedPart part) const;

  std::vector<Piece> pieces;
};

}  // namespace hangu::config
