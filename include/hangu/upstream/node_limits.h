// NodeLimits: what all shards share of one upstream's limits, and how they tell one another. One
// for each upstream's name, for the life of the process; see config::UpstreamLimits.
#pragma once

#include <cstdint>

#include "hangu/event/mailbox_group.h"
#include "hangu/policy/connection_budget.h"
#include "hangu/policy/shared_slots.h"

namespace hangu::upstream {

struct NodeLimits {
  explicit NodeLimits(uint32_t shards)
      : requests(shards),
        shards_of_upstream(shards) {}

  policy::SharedSlots requests;
  policy::ConnectionBudget pending;  // requests that wait for a connection
  policy::ConnectionBudget connections;
  event::MailboxGroup shards_of_upstream;
};

}  // namespace hangu::upstream
