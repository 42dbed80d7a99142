// Gives each picker, which the admin's own script draws, the name of its label.
"use strict";

const nameAll = () => {
    for (const choice of document.querySelectorAll("select.admin-autocomplete")) {
        const label = document.querySelector(`label[for=${choice.id}]`);
        if (!label) {
            continue;
        }
        label.id = `label-of-${choice.name}`;
        choice.parentElement.querySelectorAll(".select2-selection--single, .select2-selection__rendered").forEach((each) => {
            each.setAttribute("aria-labelledby", `${label.id} select2-${choice.id}-container`);
        });
    }
};

// After the admin's script, wherever it stands in the page: its own call of this function comes before the end of the load.
window.addEventListener("load", () => window.django?.jQuery(nameAll));
