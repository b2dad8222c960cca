#include "hangu/config/signing_template.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"

namespace hangu::config {
namespace {

constexpr std::string_view kHeaderPrefix = "header.";

constexpr std::array<std::pair<std::string_view, SignedPart>, 9> kParts = {{
    {"method", SignedPart::kMethod},
    {"path", SignedPart::kPath},
    {"query", SignedPart::kQuery},
    {"query.sorted", SignedPart::kSortedQuery},
    {"host", SignedPart::kHost},
    {"key_id", SignedPart::kKeyId},
    {"timestamp", SignedPart::kTimestamp},
    {"nonce", SignedPart::kNonce},
    {"body_digest", SignedPart::kBodyDigest},
}};

bool is_field_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

Result<SigningTemplate::Piece, std::string> part_named(std::string_view name) {
  if (name.starts_with(kHeaderPrefix)) {
    std::string field = lower_case(name.substr(kHeaderPrefix.size()));
    if (field.empty() || !std::all_of(field.begin(), field.end(), is_field_char)) {
      return Failure<std::string>{fmt::format("{{{}}} names no header field", name)};
    }
    return SigningTemplate::Piece{.part = SignedPart::kHeader, .text = std::move(field)};
  }
  const auto* const found = std::find_if(kParts.begin(), kParts.end(),
                                         [&](const auto& one) { return one.first == name; });
  if (found == kParts.end()) {
    return Failure<std::string>{
        fmt::format("there is no {{{}}}: method, path, query, query.sorted, host, header.NAME, "
                    "key_id, timestamp, nonce or body_digest",
                    name)};
  }
  return SigningTemplate::Piece{.part = found->second, .text = ""};
}

}  // namespace

Result<SigningTemplate, std::string> SigningTemplate::parse(std::string_view text) {
  SigningTemplate made;
  while (!text.empty()) {
    const size_t open = std::min(text.find('{'), text.size());
    if (open != 0) {
      made.pieces.push_back({.part = SignedPart::kText, .text = std::string(text.substr(0, open))});
      text.remove_prefix(open);
      continue;
    }
    const size_t close = text.find('}');
    if (close == std::string_view::npos) {
      return Failure<std::string>{std::string("a `{` is not closed")};
    }
    Result<Piece, std::string> piece = part_named(text.substr(1, close - 1));
    if (!piece) {
      return Failure<std::string>{piece.error()};
    }
    if (!made.pieces.empty() && made.pieces.back().part != SignedPart::kText) {
      return Failure<std::string>{
          std::string("two parts need a text between them, such as a line end")};
    }
    made.pieces.push_back(std::move(*piece));
    text.remove_prefix(close + 1);
  }
  return made;
}

bool SigningTemplate::has(SignedPart part) const {
  return std::any_of(pieces.begin(), pieces.end(),
                     [part](const Piece& piece) { return piece.part == part; });
}

}  // namespace hangu::config
