// Candidate: the documents of a rollout on a node that has them before they are everybody's: on top
// of what the store has. A node takes all of them or none. One thread at a time; pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hangu/config/assembly.h"
#include "hangu/fleet/intake.h"
#include "hangu/fleet/rollout.h"

namespace hangu::fleet {

class Candidate {
 public:
  /// `node`: the name of this one.
  explicit Candidate(std::string node);

  /// What the store says of it; none: there is none.
  void set(std::optional<Rollout> rollout);

  /// What has become of documents here, when `changes` is what has become of those of the store.
  std::vector<config::Document> apply(std::vector<config::Document> changes, const Intake& intake);

  /// Some of what it brought is not in force: apply() takes all of it back.
  void notice(const std::vector<config::Refusal>& refused);

  /// Why this node does not take it; empty: it does, or need not. `refused`: what is not in force.
  std::string refusal(const std::vector<config::Refusal>& refused) const;

  /// apply() has brought its documents.
  bool is_on_top() const { return !on_top_.empty(); }

  /// Without the texts of its documents.
  const std::optional<Rollout>& rollout() const { return summary_; }

 private:
  using Bodies = std::map<std::string, std::optional<std::string>, std::less<>>;

  Bodies wanted(const Intake& intake);

  std::string node_;
  std::optional<Rollout> rollout_;
  std::optional<Rollout> summary_;
  Bodies on_top_;
  std::string refusal_;  // of the rollout
};

}  // namespace hangu::fleet
