// Hides the fields of a repetition that the chosen one does not need. Without script all are there.
"use strict";

const NEEDED = {
    weekly: ["every", "weekdays", "times", "until", "on_conflict"],
    rule: ["times", "until", "rrule", "on_conflict"],
    other: ["every", "times", "until", "on_conflict"],
};

document.addEventListener("DOMContentLoaded", () => {
    const choice = document.getElementById("id_repeat");
    if (!choice) {
        return;
    }
    const show = () => {
        const needed = choice.value ? NEEDED[choice.value] ?? NEEDED.other : [];
        for (const name of ["every", "weekdays", "times", "until", "rrule", "on_conflict"]) {
            const row = document.querySelector(`.form-row.field-${name}`);
            // What is wrong stays in sight.
            row?.classList.toggle("not-needed", !needed.includes(name) && !row.querySelector(".errorlist"));
        }
    };
    choice.addEventListener("change", show);
    show();
});
