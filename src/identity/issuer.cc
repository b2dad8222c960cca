#include "hangu/identity/issuer.h"

#include <algorithm>

#include <boost/json.hpp>

namespace hangu::identity {
namespace {

bool is_address(std::string_view text) {
  return (text.starts_with("https://") || text.starts_with("http://")) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Result<ProviderMetadata, std::string> parse_provider_metadata(std::string_view json,
                                                              std::string_view issuer) {
  boost::system::error_code error;
  const boost::json::value root =
      boost::json::parse(boost::json::string_view(json.data(), json.size()), error);
  const boost::json::object* const object = error ? nullptr : root.if_object();
  const auto text = [&](const char* name) -> std::string {
    const boost::json::value* const value = object != nullptr ? object->if_contains(name) : nullptr;
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  };
  if (text("issuer") != issuer) {
    return Failure<std::string>{std::string("the metadata is of another issuer")};
  }
  // Browsers are sent to some of them: what else they hold must not become part of an answer.
  const auto address = [&](const char* name) {
    std::string found = text(name);
    return is_address(found) ? found : std::string();
  };
  return ProviderMetadata{.jwks_uri = address("jwks_uri"),
                          .authorization_endpoint = address("authorization_endpoint"),
                          .token_endpoint = address("token_endpoint"),
                          .end_session_endpoint = address("end_session_endpoint")};
}

}  // namespace hangu::identity
