// PageSummaries: what is asked of all elements of a SharedList, kept for each page, so that another
// list costs the pages that differ. For whoever copies and changes the list: one thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "hangu/base/shared_list.h"

namespace hangu {

template <class T, class Summary>
class PageSummaries {
 public:
  /// `summarize(begin, end)`: of the elements at those places; of one list always the same.
  template <class Summarize>
  const std::vector<Summary>& update(const SharedList<T>& list, Summarize summarize) {
    constexpr size_t kPage = SharedList<T>::kPageItems;
    const size_t pages = (list.size() + kPage - 1) / kPage;
    std::vector<Summary> next;
    next.reserve(pages);
    for (size_t page = 0; page < pages; ++page) {
      const size_t begin = page * kPage;
      const size_t end = std::min(begin + kPage, list.size());
      // The last page may be shared by lists of which one is longer.
      const bool known = list_.shares_page(list, begin) && list_.size() >= end &&
                         (end == begin + kPage || list_.size() == list.size());
      next.push_back(known ? std::move(summaries_[page]) : summarize(begin, end));
    }
    list_ = list;
    summaries_ = std::move(next);
    return summaries_;
  }

 private:
  SharedList<T> list_;  // of which the summaries are; keeps its pages from being used again
  std::vector<Summary> summaries_;
};

/// The places, by page, of the elements of a list for which something holds.
template <class T>
class PlacesWhere {
 public:
  /// `wanted(element)`: of one element always the same. Ascending.
  template <class Wanted>
  std::vector<size_t> update(const SharedList<T>& list, Wanted wanted) {
    std::vector<size_t> all;
    const auto of_page = [&](size_t begin, size_t end) {
      std::vector<size_t> found;
      for (size_t at = begin; at < end; ++at) {
        if (wanted(list[at])) {
          found.push_back(at);
        }
      }
      return found;
    };
    for (const std::vector<size_t>& page : pages_.update(list, of_page)) {
      all.insert(all.end(), page.begin(), page.end());
    }
    return all;
  }

 private:
  PageSummaries<T, std::vector<size_t>> pages_;
};

}  // namespace hangu
