// Fuzz target: any bytes as what a browser keeps for the gateway, sealed and in the clear, and as
// what a provider answers. What is read is written the same way again; nothing that was not sealed
// opens.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/assert.h"
#include "hangu/base/base64.h"
#include "hangu/identity/form.h"
#include "hangu/identity/oidc.h"
#include "hangu/identity/oidc_session.h"
#include "hangu/identity/sealer.h"

#include "tests/fuzz/support.h"

namespace hangu::identity {
namespace {

const Sealer& sealer() {
  static const std::vector<std::string> kSecrets = {"one secret of thirty-two bytes..",
                                                    "and another one of the same size"};
  static const Sealer kSealer(kSecrets, "fuzz");
  return kSealer;
}

void check_cookies(std::string_view text) {
  std::string joined;
  const std::vector<std::string> values = split_over_cookies(text);
  HANGU_ASSERT(values.empty() == (text.size() > kCookieBytesMax * kCookiesMax));
  if (!values.empty()) {
    const auto first = read_first_cookie(values[0]);
    HANGU_ASSERT(first && first->count == values.size());
    joined = first->piece;
    for (size_t i = 1; i < values.size(); ++i) {
      joined += values[i];
    }
    HANGU_ASSERT(joined == text);
  }
  if (const auto first = read_first_cookie(text)) {
    HANGU_ASSERT(first->count >= 1 && first->count <= kCookiesMax &&
                 first->piece.size() + 2 == text.size());
  }
}

}  // namespace

void check_one(std::string_view bytes) {
  const fuzz::Piece piece(bytes);
  const std::string_view text = piece.view();
  if (const auto session = read_session(text)) {
    HANGU_ASSERT(to_bytes(*session) == text && !read_login(text));
  }
  if (const auto login = read_login(text)) {
    HANGU_ASSERT(to_bytes(*login) == text);
  }
  HANGU_ASSERT(!sealer().open(text) && !sealer().open(encode_base64url(text)));
  HANGU_ASSERT(sealer().open(sealer().seal(text)) == text);
  HANGU_ASSERT(decode_form(encode_form(text)) == text);
  static_cast<void>(decode_form(text));
  if (is_local_target(text)) {
    HANGU_ASSERT(text[0] == '/' && (text.size() == 1 || (text[1] != '/' && text[1] != '\\')));
  }
  check_cookies(text);
  static_cast<void>(read_token_response(text, false));
  static_cast<void>(read_token_response(text, true));
  static_cast<void>(claims_of_jwt(text));
}

}  // namespace hangu::identity

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hangu::identity::check_one(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
