// What two SharedLists differ in, at the cost of the pages that they do not share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "hangu/base/shared_list.h"

namespace hangu {

/// The places, ascending, at which lists of the same size hold different objects.
template <class T>
std::vector<size_t> differing_places(const SharedList<T>& a, const SharedList<T>& b) {
  constexpr size_t kPage = SharedList<T>::kPageItems;
  std::vector<size_t> places;
  for (size_t page = 0; page < a.size(); page += kPage) {
    if (a.shares_page(b, page)) {
      continue;
    }
    const size_t end = std::min(page + kPage, a.size());
    for (size_t at = page; at < end; ++at) {
      if (a.item(at) != b.item(at)) {
        places.push_back(at);
      }
    }
  }
  return places;
}

}  // namespace hangu
