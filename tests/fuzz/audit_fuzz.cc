// Fuzz target: any bytes as a path and a query to be masked, and as a piece of an audit log to be
// verified and searched.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hangu/audit/mask.h"
#include "hangu/audit/search.h"
#include "hangu/base/assert.h"

#include "audit/piece_check.h"

namespace hangu::audit {
namespace {

template <class Mask>
void check_mask(std::string_view text, const Mask& mask) {
  std::string out;
  const bool hidden = mask(text, out);
  HANGU_ASSERT(hidden || out == text);
  constexpr size_t kHiddenBytes = 3;  // for as little as one
  HANGU_ASSERT(out.size() <= text.size() * (kHiddenBytes + 1));
  std::string again;
  HANGU_ASSERT(hidden || !mask(out, again));
}

void check_log(std::string_view piece) {
  const ShippedHashes shipped = {{1, std::string(kHashDigits, '0')}};
  const PieceCheck checked = check_piece(piece, DigestKind::kSha256, shipped);
  HANGU_ASSERT(checked.bytes >= piece.size());
  // Nobody finds a digest by chance: what is a record at all was made for this.
  HANGU_ASSERT(checked.any || checked.findings.size() == checked.lines);
  for (const PieceFinding& each : checked.findings) {
    HANGU_ASSERT(each.line >= 1 && each.line <= checked.lines && !each.kind.empty());
  }
  static_cast<void>(parse_log_time(piece, WallTime{}));
  const auto search = Search::create({.members = {{"event", "request*"}}, .texts = {"seq"}});
  const std::string selected = search->select(std::string(piece));
  HANGU_ASSERT(selected.size() <= piece.size() + 1);
  HANGU_ASSERT(search->select(selected) == selected);
}

}  // namespace

void check_one(std::string_view text) {
  check_mask(text, mask_text);
  check_mask(text, mask_query);
  check_log(text);
}

}  // namespace hangu::audit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hangu::audit::check_one(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
