// The keys of rollouts, and what the labels of nodes look like.
#pragma once

#include "config/rules.h"
#include "config/type.h"

namespace hangu::config {

extern const TextRule kLabelRule;
extern const TextRule kStageRule;

TypePtr<RolloutPlan> rollout_keys();

}  // namespace hangu::config
