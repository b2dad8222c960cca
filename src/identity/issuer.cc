#include "hangu/identity/issuer.h"

#include <boost/json.hpp>

namespace hangu::identity {

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
  return ProviderMetadata{.jwks_uri = text("jwks_uri"),
                          .authorization_endpoint = text("authorization_endpoint"),
                          .token_endpoint = text("token_endpoint"),
                          .end_session_endpoint = text("end_session_endpoint")};
}

}  // namespace hangu::identity
