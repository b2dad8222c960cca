// Fuzz target: any bytes as the fields of a signed request. What is accepted has one form only, and
// every view of it lies in the input.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "hangu/base/assert.h"
#include "hangu/identity/body_digest.h"
#include "hangu/identity/signature_fields.h"

#include "tests/fuzz/support.h"

namespace hangu::identity {
namespace {

bool is_within(std::string_view part, std::string_view whole) {
  const std::less_equal<const char*> before;
  return part.empty() || (before(whole.data(), part.data()) &&
                          before(part.data() + part.size(), whole.data() + whole.size()));
}

/// As RFC 9421 §2.3 has it written.
std::string written(const SignatureInput& input) {
  std::string text = "(";
  for (const SignedComponent& component : input.components()) {
    text.append(text.size() > 1 ? " \"" : "\"").append(component.name).append("\"");
    text.append(component.parameters);
  }
  return text + ")";
}

void check_inputs(std::string_view field) {
  const auto inputs = parse_signature_inputs(field);
  if (!inputs) {
    return;
  }
  HANGU_ASSERT(inputs->count >= 1 && inputs->count <= SignatureInputs::kMax);
  for (const SignatureInput& input : inputs->all()) {
    HANGU_ASSERT(is_within(input.text, field) && is_within(input.label, field));
    HANGU_ASSERT(input.text.starts_with(written(input)));
    // Alone it means the same.
    const std::string alone = std::string(input.label) + "=" + std::string(input.text);
    const auto again = parse_signature_inputs(alone);
    HANGU_ASSERT(again && again->count == 1 && again->list[0].text == input.text &&
                 again->list[0].created == input.created && again->list[0].key_id == input.key_id);
  }
}

}  // namespace

void check_one(std::string_view bytes) {
  const fuzz::Piece piece(bytes);
  const std::string_view field = piece.view();
  check_inputs(field);
  if (const auto found = find_bytes(field, "sig1")) {
    HANGU_ASSERT(is_within(*found, field) && found->find(':') == std::string_view::npos);
  }
  if (const auto found = parse_signature_credentials(field)) {
    HANGU_ASSERT(!found->key_id.empty() && !found->signature.empty());
    for (const std::string_view part :
         {found->key_id, found->algorithm, found->headers, found->signature}) {
      HANGU_ASSERT(is_within(part, field) && part.find('"') == std::string_view::npos);
    }
  }
  static_cast<void>(parse_content_digest(field));
  static_cast<void>(parse_legacy_digest(field));
  static_cast<void>(parse_bare_digest(BodyDigestKind::kSha256, field));
}

}  // namespace hangu::identity

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hangu::identity::check_one(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
