// Tables of the class "sortable": a click on a heading sorts the rows by that column.
document.addEventListener("DOMContentLoaded", () => {
  const value = (row, column) => row.cells[column].textContent.trim();
  const number = text => text === "" ? NaN : Number(text.replace(/^([+-]?)\./, "$10.").split(" ")[0]);
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.append(...(head.firstElementChild || head).childNodes);
      (head.firstElementChild || head).append(button);
      button.title = "Sort by this column";
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") === "descending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const sign = up ? 1 : -1;
        const rows = [...body.rows].sort((a, b) => {
          const [x, y] = [value(a, column), value(b, column)];
          const [m, n] = [number(x), number(y)];
          if (!x || !y) return x ? -1 : y ? 1 : 0;  // empty cells stay below
          return sign * (isNaN(m) || isNaN(n) ? x.localeCompare(y) : m - n);
        });
        body.append(...rows);
      });
    });
  }
});
