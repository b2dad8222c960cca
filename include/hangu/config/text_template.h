// TextTemplate: a text with variables of the request in it: "{client_ip}", "{header.x-tenant}".
// What looks otherwise is text, so that JSON needs no care; "{{client_ip}}" stands for
// "{client_ip}". (`${NAME}` is the loader's: a variable of the environment, filled in before.)
// Pure; made by the loader to check, and off the shards to compile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"

namespace hangu::config {

enum class Variable : uint8_t {
  kNone,  // a piece of text
  kClientIp,
  kClientPort,
  kMethod,
  kScheme,
  kHost,
  kPath,
  kQuery,
  kProtocol,
  kRoute,
  kListener,
  kUpstream,
  kUpstreamAddress,
  kRequestId,
  kTraceId,
  kNode,
  kTlsProtocol,
  kTlsCipher,
  kTlsServerName,
  kTlsClientSubject,
  kTlsClientNames,
  kTlsClientFingerprint,
  // With a name.
  kHeader,
  kCookie,
  kQueryParameter,
  kCapture,  // of the path, by the route's match
};

struct TextTemplate {
  struct Piece {
    Variable variable = Variable::kNone;
    std::string text;  // or the name of a field (lower case), cookie or parameter
  };

  /// The error is in words, with what may have been meant.
  static Result<TextTemplate, std::string> parse(std::string_view text);

  /// Text alone.
  static TextTemplate literal(std::string_view text);

  bool has_variables() const;

  std::vector<Piece> pieces;
};

/// As it is written: "client_ip"; "header." of those with a name; empty for a piece of text.
std::string_view variable_name(Variable variable) noexcept;

/// "client_ip, …, header.NAME": for the documents.
std::string variable_names();

}  // namespace hangu::config
