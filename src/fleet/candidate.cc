#include "hangu/fleet/candidate.h"

#include <utility>

#include <fmt/format.h>

namespace hangu::fleet {

Candidate::Candidate(std::string node)
    : node_(std::move(node)) {}

void Candidate::set(std::optional<Rollout> rollout) {
  const bool same = rollout && rollout_ && rollout->id == rollout_->id;
  if (!same) {
    refusal_.clear();
  }
  rollout_ = std::move(rollout);
  summary_ = rollout_;
  if (summary_) {
    forget_documents(*summary_);
  }
}

Candidate::Bodies Candidate::wanted(const Intake& intake) {
  Bodies bodies;
  if (!rollout_ || !rollout_->covers(node_) || !refusal_.empty()) {
    return bodies;
  }
  for (const PushedDocument& each : rollout_->documents) {
    const std::string reason = intake.refusal_of({each.key, each.after});
    if (!reason.empty()) {
      refusal_ = fmt::format("{}: {}", each.key, reason);
      return {};
    }
    bodies[each.key] = body_of(each.after);
  }
  return bodies;
}

std::vector<config::Document> Candidate::apply(std::vector<config::Document> changes,
                                               const Intake& intake) {
  Bodies next = wanted(intake);
  std::vector<config::Document> out;
  for (config::Document& each : changes) {
    if (!next.contains(each.key)) {
      on_top_.erase(each.key);
      out.push_back(std::move(each));
    }
  }
  for (const auto& [key, body] : on_top_) {
    if (!next.contains(key)) {
      out.push_back({key, body_of(intake.believed(key))});
    }
  }
  for (const auto& [key, body] : next) {
    const auto before = on_top_.find(key);
    if (before == on_top_.end() || before->second != body) {
      out.push_back({key, body});
    }
  }
  on_top_ = std::move(next);
  return out;
}

void Candidate::notice(const std::vector<config::Refusal>& refused) {
  if (is_on_top()) {
    refusal_ = refusal(refused);
  }
}

std::string Candidate::refusal(const std::vector<config::Refusal>& refused) const {
  if (!refusal_.empty()) {
    return refusal_;
  }
  for (const config::Refusal& each : refused) {
    if (on_top_.contains(each.key)) {
      return fmt::format("{}: {}", each.key, each.reason);
    }
  }
  return "";
}

}  // namespace hangu::fleet
