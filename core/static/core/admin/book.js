// Gives the picker of persons, which the admin's own script draws, the name of its label.
"use strict";

// After the admin's script: its own call of this function stands further up in the page.
window.django?.jQuery(() => {
    const label = document.querySelector("label[for=id_user]");
    if (!label) {
        return;
    }
    label.id = "label-of-user";
    document.querySelectorAll(".field-user .select2-selection, .field-user .select2-selection__rendered").forEach((each) => {
        each.setAttribute("aria-labelledby", `${label.id} select2-id_user-container`);
    });
});
