// FactsMatch: header fields, cookies, parameters and networks that a request must have, compiled.
// Off the shards; immutable, any thread. The lists that it is made of must outlive it.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "hangu/base/pattern.h"
#include "hangu/config/config.h"
#include "hangu/http/header_block.h"
#include "hangu/policy/cidr_set.h"

namespace hangu::policy {

/// What of a request routes and rules look at, beside host, path and method.
struct RequestFacts {
  const http::HeaderBlock* headers = nullptr;  // nullptr: none
  std::string_view query;                      // without '?'
  std::string_view client_ip;
};

class FactsMatch {
 public:
  struct Wanted {
    const std::vector<config::FieldMatch>& headers;  // all of them
    const std::vector<config::FieldMatch>& cookies;  // the same
    const std::vector<config::Cidr>& clients;        // one of them; empty: any
  };

  FactsMatch(const Wanted& wanted, const std::vector<config::FieldMatch>& query);

  bool takes(const RequestFacts& facts) const noexcept;

 private:
  /// Field, cookie or parameter, with its expression compiled.
  struct Field {
    const config::FieldMatch* field;
    std::optional<Pattern> pattern;

    bool takes(std::optional<std::string_view> value) const noexcept;
  };

  static std::vector<Field> compile(const std::vector<config::FieldMatch>& fields);

  std::vector<Field> headers_;
  std::vector<Field> query_;
  std::vector<Field> cookies_;
  CidrSet clients_;
};

}  // namespace hangu::policy
