// Memory for tables of many small parts that requests look up at random: on large pages once there
// is much of it, since with small ones nearly each look costs a walk through the page tables beside
// the miss itself (of 100,000 routes a quarter of a lookup). Parts come and go as shared pointers;
// what is given back is used again and not returned to the system. Any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <utility>

namespace hangu {

/// Lives as long as the process.
std::pmr::memory_resource& table_memory();

template <class T, class... Arguments>
std::shared_ptr<T> make_table_part(Arguments&&... arguments) {
  return std::allocate_shared<T>(std::pmr::polymorphic_allocator<>(&table_memory()),
                                 std::forward<Arguments>(arguments)...);
}

/// Of so many elements, each as made by default.
template <class T>
std::shared_ptr<T[]> make_table_array(size_t count) {
  return std::allocate_shared<T[]>(std::pmr::polymorphic_allocator<>(&table_memory()), count);
}

}  // namespace hangu
