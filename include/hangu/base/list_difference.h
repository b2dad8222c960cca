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

/// How many elements at the beginning and at the end of two lists are the same objects, none
/// counted twice.
struct CommonEnds {
  size_t front = 0;
  size_t back = 0;
};

template <class T>
CommonEnds common_ends(const SharedList<T>& a, const SharedList<T>& b) {
  constexpr size_t kPage = SharedList<T>::kPageItems;
  const size_t least = std::min(a.size(), b.size());
  CommonEnds ends;
  while (ends.front < least) {
    if (ends.front % kPage == 0 && ends.front + kPage <= least && a.shares_page(b, ends.front)) {
      ends.front += kPage;
    } else if (a.item(ends.front) == b.item(ends.front)) {
      ++ends.front;
    } else {
      break;
    }
  }
  while (ends.back < least - ends.front &&
         a.item(a.size() - 1 - ends.back) == b.item(b.size() - 1 - ends.back)) {
    ++ends.back;
  }
  return ends;
}

}  // namespace hangu
