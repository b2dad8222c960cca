// Envelope: what stands around a document in the config centre: who wrote which version of it when,
// and who signed that. As comments in front of the YAML, so that a document without any is one,
// too:
//
//   #hangu 1 sequence=17 author=li.wei time=2026-11-27T12:00:00Z
//   #hangu-signature 3f8a61d2c0b94e57 <128 hexadecimal digits>
//   upstream: users
//
// Pure but for the files of keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/tls/signature.h"

namespace hangu::fleet {

struct Signature {
  std::string key_id;
  std::string digits;
};

struct Envelope {
  uint64_t sequence = 0;  // grows with each version of a document; 0: there is no header
  std::string author;
  std::string time;      // RFC 3339, UTC
  bool deleted = false;  // there is to be no such document: what a signed removal is
  std::vector<Signature> signatures;
  std::string body;
};

/// The error says what is wrong with the header.
Result<Envelope, std::string> read_envelope(std::string_view text);

std::string to_text(const Envelope& envelope);

/// The body of a document that is there; none: it is not, or has been removed by a signed mark.
std::optional<std::string> body_of(const std::optional<std::string>& text);

/// What signatures are of: everything, and the key in the store, so that a document cannot be
/// moved.
std::string signed_text(std::string_view key, const Envelope& envelope);

/// Adds a signature; one by the same key is replaced.
void sign(Envelope& envelope, std::string_view key, const tls::SigningKey& with);

/// Whether the header can carry this name of an author.
bool is_author(std::string_view text);

/// Whom a gateway believes.
class Trust {
 public:
  /// `paths`: PEM files with public keys; none: everybody. The error names the file.
  static Result<Trust, std::string> load(const std::vector<std::string>& paths, uint32_t approvals);

  bool needs_signatures() const { return !keys_.empty(); }

  /// Why the document is not to be believed; empty: it is.
  std::string refusal(std::string_view key, const Envelope& envelope) const;

 private:
  std::vector<tls::VerifyingKey> keys_;
  uint32_t approvals_ = 1;
};

}  // namespace hangu::fleet
