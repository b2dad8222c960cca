// ClientFilter: lets requests pass by the address of the client.
#pragma once

#include <memory>

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"
#include "hangu/policy/cidr_set.h"

namespace hangu::filter {

class ClientFilter final : public Filter {
 public:
  /// Those listed in files; nullptr: none.
  using Listed = std::shared_ptr<const policy::CidrSet>;

  ClientFilter(const config::Clients& clients, Listed allowed, Listed denied)
      : allow_(clients.allow),
        allow_listed_(std::move(allowed)),
        deny_(clients.deny),
        deny_listed_(std::move(denied)),
        shadow_(clients.mode == config::Mode::kShadow) {}

  std::string_view name() const override { return "clients"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  policy::CidrSet allow_;
  Listed allow_listed_;
  policy::CidrSet deny_;
  Listed deny_listed_;
  bool shadow_;
};

}  // namespace hangu::filter
