// Checks of consumers and authenticators, and the texts that only they have.
#pragma once

#include "hangu/config/config.h"

#include "config/reader.h"
#include "config/rules.h"
#include "config/scalar_types.h"

namespace hangu::config {

extern const TextRule kKeyHashRule;
extern const TextRule kHttpUriRule;
extern const TextRule kUserRule;
extern const TextRule kRealmRule;

/// "2027-01-31T00:00:00Z" as seconds of Unix time; 0: never.
class TimeType final : public ScalarType<int64_t> {
 public:
  std::string name() const override { return "time"; }

  std::string limits() const override { return "as `2027-01-31T00:00:00Z`, or `never`"; }

  std::string schema() const override;

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text,
                               int64_t& out) const override;
  Value format(const Config& config, const int64_t& value) const override;

  std::string example() const override { return "2027-01-31T00:00:00Z"; }
};

/// Of argon2id or bcrypt. Not printed: who has it can try passwords at leisure.
class PasswordHashType final : public ScalarType<std::string> {
 public:
  std::string name() const override { return "hash"; }

  std::string limits() const override { return "argon2id or bcrypt"; }

  std::string schema() const override { return or_variable(R"("type":"string","minLength":1)"); }

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text,
                               std::string& out) const override;
  Value format(const Config& config, const std::string& value) const override;

  std::string example() const override { return "$argon2id$…"; }
};

/// Credentials that belong to two consumers.
void check_identities(Reader& reader, const Node& root, const Config& config);
void check_authenticator(Reader& reader, const Node& node, const Authenticator& authenticator);
void check_authentication(Reader& reader, const Node& node, const Authentication& authentication);
void check_forward_auth(Reader& reader, const Node& node, const ForwardAuth& service);
void check_introspection(Reader& reader, const Node& node, const IntrospectionAuth& asked);
void check_jwt(Reader& reader, const Node& node, const JwtAuth& jwt);

}  // namespace hangu::config
