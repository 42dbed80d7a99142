// Ticks all boxes without a new page; without script the link asks for a page with all boxes ticked.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const link = document.getElementById("tick-all");
    const boxes = [...document.querySelectorAll("#queue input[name=ticked]")];
    if (!link || !boxes.length) {
        return;
    }
    const show = () => {
        link.textContent = boxes.every((box) => box.checked) ? "Untick all" : "Tick all on this page";
    };
    link.addEventListener("click", (event) => {
        event.preventDefault();
        const wanted = !boxes.every((box) => box.checked);
        boxes.forEach((box) => { box.checked = wanted; });
        show();
    });
    boxes.forEach((box) => box.addEventListener("change", show));
    show();
});
