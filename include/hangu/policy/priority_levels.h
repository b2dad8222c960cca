// PriorityLevels: how requests are spread over the priorities of an upstream's endpoints, and where
// all endpoints are used although few of them are well (panic). Pure.
//
// A level takes 140 % of what is its health, in percent of its endpoints, at most all, and at least
// one percent while one of them is well; the next one takes what is left, and so on: with 5 of 7
// well a level still takes everything. When all levels together cannot take 100 %, they share in
// proportion, and a level of which fewer than `panic_percent` are well uses all its endpoints.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hangu::policy {

struct PriorityLevel {
  uint32_t priority = 0;
  uint32_t endpoints = 0;  // those that an operator has taken out are not counted
  uint32_t well = 0;
  uint32_t load_percent = 0;  // of all requests; the sum is 100, or 0 when nobody can take any
  bool panic = false;
};

struct LevelMember {
  uint32_t priority = 0;
  bool well = true;
};

/// One for each priority that occurs, the lowest first.
std::vector<PriorityLevel> priority_levels(std::span<const LevelMember> members,
                                           uint32_t panic_percent);

}  // namespace hangu::policy
