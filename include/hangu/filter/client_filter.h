// ClientFilter: lets requests pass by the address of the client.
#pragma once

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"
#include "hangu/policy/cidr_set.h"

namespace hangu::filter {

class ClientFilter final : public Filter {
 public:
  explicit ClientFilter(const config::Clients& clients)
      : allow_(clients.allow),
        deny_(clients.deny) {}

  std::string_view name() const override { return "clients"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  policy::CidrSet allow_;
  policy::CidrSet deny_;
};

}  // namespace hangu::filter
