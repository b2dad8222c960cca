#include "control/key_news.h"

#include <utility>

#include "hangu/stats/registry.h"

namespace hangu::control {

void take_keys(server::Gateway* gateway, const std::string& authenticator, KeyNews news) {
  if (gateway == nullptr) {
    return;
  }
  if (news.fetch != KeyNews::Fetch::kNone) {
    const auto stats = gateway->registry().authenticator(authenticator);
    stats->key_fetches.add();
    if (news.fetch == KeyNews::Fetch::kFailed) {
      stats->key_fetch_failures.add();
    }
  }
  gateway->set_keys(authenticator, news.changed, std::move(news.issuer));
}

}  // namespace hangu::control
