// Subset: which endpoints of a very large pool one worker uses, so that not every worker has
// connections to every endpoint. Pure, and the same for the same input: the workers of a node
// divide a shuffled pool among themselves, and begin with another shuffle when it is used up; nodes
// shuffle differently. One endpoint more or less changes little.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace hangu::policy {

/// Indices of about `size` of the names, in order; all when there are no more than that.
std::vector<size_t> subset(std::span<const std::string_view> names, size_t size, uint64_t node_seed,
                           uint32_t worker);

}  // namespace hangu::policy
