// What a signature of a request is made over: the base of RFC 9421 §2.5, the text of the older
// draft, or that of a template; and what of a request that covers. Pure; appends to a text of the
// caller's.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hangu/config/signature.h"
#include "hangu/config/signing_template.h"
#include "hangu/http/message.h"
#include "hangu/identity/signature_fields.h"

namespace hangu::filter {

/// The request as the client sent it: target and fields, before anything of it was rewritten.
struct SignedMessage {
  const http::RequestHead& request;
  bool secure = false;  // it came as https
};

/// The fields of that name as one value (RFC 9110 §5.3), in `room`; nullopt: there is none.
std::optional<std::string_view> combined_field(const http::RequestHead& request,
                                               std::string_view name, std::string& room);

/// False: it covers something that the request has not.
bool write_signature_base(const SignedMessage& message, const identity::SignatureInput& input,
                          std::string& out);

/// The same for credentials of the older draft.
bool write_signing_string(const SignedMessage& message,
                          const identity::SignatureCredentials& credentials,
                          config::SignatureProfile profile, std::string& out);

/// What stands in fields of a scheme's own.
struct SchemeValues {
  std::string_view key_id;
  std::string_view timestamp;
  std::string_view nonce;
  std::string_view body_digest;
};

bool write_canonical(const SignedMessage& message, const config::SigningTemplate& canonical,
                     const SchemeValues& values, std::string& out);

/// Whether the names that a signature covers suffice for one that has to be covered: "@target-uri"
/// covers "@path", too.
bool covers(std::span<const std::string_view> names, std::string_view wanted) noexcept;

}  // namespace hangu::filter
